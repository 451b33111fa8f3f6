//! Requests and replies as JSON, and what a path is taken for.

use std::fmt;
use std::path::Path;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest request, bytes.
pub(super) const REQUEST_MAX: usize = 4999;

/// What a client wants. An empty path stands for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// A plain path that is to be encrypted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub encrypt_path: String,
    /// An encrypted path that is to be decrypted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub decrypt_path: String,
    /// Whether the figures of the file system are wanted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stats: bool,
}

/// What the client gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    /// The path; empty if there was an error.
    pub result: String,
    /// 0, the number of the error if it is "no such file or directory", or -1.
    #[serde(rename = "ErrNo")]
    pub errno: i32,
    /// The error; empty if there was none.
    pub err_text: String,
    /// Something to take note of; empty if there is nothing.
    pub warn_text: String,
    /// The figures, if they were wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<Value>,
}

impl Request {
    /// Reads one JSON object. Keys match in any case and count with their last value; other keys
    /// and `null` mean nothing.
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Request> {
        let request: Option<Request> = serde_json::from_slice(json)?;
        Ok(request.unwrap_or_default())
    }
}

impl Response {
    /// A reply with a result. JSON holds Unicode text only.
    pub(super) fn result(path: &Path) -> Response {
        let mut response = Response {
            result: path.to_string_lossy().into_owned(),
            ..Response::default()
        };
        if path.to_str().is_none() {
            response.warn("The path is not valid UTF-8, and is shown with replacement characters.");
        }
        response
    }

    /// A reply with figures.
    pub(super) fn figures(figures: Value) -> Response {
        Response {
            stats: Some(figures),
            ..Response::default()
        }
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, text: &str) {
        if !self.warn_text.is_empty() {
            self.warn_text.push(' ');
        }
        self.warn_text += text;
    }

    /// A reply that tells why there is no result.
    pub(super) fn error(errno: i32, text: impl Into<String>) -> Response {
        Response {
            errno,
            err_text: text.into(),
            ..Response::default()
        }
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Request, D::Error> {
        from.deserialize_map(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = Request;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request, A::Error> {
        let mut request = Request::default();
        while let Some(key) = map.next_key::<String>()? {
            let place = match key.to_ascii_lowercase().as_str() {
                "encryptpath" => &mut request.encrypt_path,
                "decryptpath" => &mut request.decrypt_path,
                "stats" => {
                    request.stats = map.next_value::<Value>()? == Value::Bool(true);
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if let Some(path) = map.next_value::<Option<String>>()? {
                *place = path;
            }
        }
        Ok(request)
    }
}

/// `path` relative to the top of the file system, without `.`, `..` and doubled slashes; empty if
/// that is the top itself or outside.
pub(super) fn clean(path: &str) -> String {
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                if names.pop().is_none() {
                    return String::new();
                }
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> Option<[String; 2]> {
        let request = Request::parse(json.as_bytes()).ok()?;
        Some([request.encrypt_path, request.decrypt_path])
    }

    #[test]
    fn keys_match_in_any_case_and_the_last_value_counts() {
        let twice = r#"{"EncryptPath":"a","encryptpath":"b","EncryptPath":null}"#;
        let others = r#" {"x":[{"EncryptPath":1}],"DecryptPath":"\u00e9\n","":{}} "#;
        let requests = [
            (r#"{"EncryptPath":"a"}"#, ["a", ""]),
            (r#"{"DECRYPTPATH":"a"}"#, ["", "a"]),
            (twice, ["b", ""]),
            (others, ["", "\u{e9}\n"]),
            ("{}", ["", ""]),
            ("null", ["", ""]),
        ];
        for (request, paths) in requests {
            assert_eq!(parsed(request), Some(paths.map(str::to_owned)), "{request}");
        }
    }

    #[test]
    fn what_is_no_object_of_text_is_refused() {
        let requests = [
            "",
            " ",
            "x",
            "1",
            "\"a\"",
            "[]",
            "{",
            "{}{}",
            "{\"EncryptPath\"",
            "{\"EncryptPath\":1}",
            "{\"EncryptPath\":\"a",
            "{\"EncryptPath\":\"\\ud800\"}",
        ];
        for request in requests {
            assert_eq!(parsed(request), None, "{request}");
        }
        assert!(Request::parse(b"{\"EncryptPath\":\"\xff\"}").is_err());
        assert!(Request::parse("[".repeat(REQUEST_MAX).as_bytes()).is_err());
    }

    #[test]
    fn a_reply_has_all_keys_in_their_order() {
        let reply = Response::error(-1, "a \"b\"");
        let json = serde_json::to_string(&reply).unwrap();
        let wanted = r#"{"Result":"","ErrNo":-1,"ErrText":"a \"b\"","WarnText":""}"#;
        assert_eq!(json, wanted);
    }

    #[test]
    fn paths_are_cleaned_by_their_text() {
        let cleaned = [
            ("a", "a"),
            ("/a//b/./c/../d/", "a/b/d"),
            ("..a/...", "..a/..."),
            ("", ""),
            (".", ""),
            ("/", ""),
            ("a/..", ""),
            ("../a", ""),
            ("a/../../b", ""),
        ];
        for (path, wanted) in cleaned {
            assert_eq!(clean(path), wanted, "{path}");
        }
    }
}
