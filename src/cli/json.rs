//! What all JSON of the program has in common: one object a line, each with its type and a version
//! that counts changes which would break a reader; new keys do not.

use super::exit::Failure;
use serde_json::{Value, json};
use std::ffi::OsString;

/// The version.
pub(crate) const VERSION: u32 = 1;

/// The object `content`, of this type.
pub(crate) fn object(kind: &str, content: Value) -> Value {
    let mut object = json!({"type": kind, "version": VERSION});
    if let (Some(object), Value::Object(content)) = (object.as_object_mut(), content) {
        object.extend(content);
    }
    object
}

/// A failure, in place of its message.
pub(crate) fn failure(failure: &Failure) -> Value {
    object(
        "error",
        json!({
            "code": failure.code.number(),
            "message": failure.message,
            "advice": failure.advice,
        }),
    )
}

/// Whether a command line asks for JSON. It may be one that is not understood.
pub(crate) fn is_wanted(line: &[OsString]) -> bool {
    let options = line.iter().take_while(|word| *word != "--");
    let mut given = options.filter(|word| *word == "--json" || *word == "-json");
    given.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_its_type_and_version_first() {
        let object = object("x", json!({"a": 1}));
        assert_eq!(object, json!({"type": "x", "version": 1, "a": 1}));
    }

    #[test]
    fn json_is_asked_for_in_front_of_two_dashes() {
        let wanted = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            is_wanted(&words)
        };
        assert!(wanted("fsck --json C") && wanted("info C -json"));
        assert!(!wanted("fsck -- --json") && !wanted("fsck C"));
    }
}
