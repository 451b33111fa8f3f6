//! The wrapped keys of the public example volumes, which span all forms that ever were: with and
//! without HKDF, with every content cipher. The password of all is `test`.

use super::*;

struct Example {
    flags: &'static str,
    salt: &'static str,
    wrapped: &'static str,
    key: &'static str,
}

const EXAMPLES: [Example; 5] = [
    // v0.7
    Example {
        flags: "GCMIV128 DirIV EMENames",
        salt: "yZn+QMjR2ENZ6MoiURpqEqr8mgnCX8WN87KJafgiXhU=",
        wrapped: "0crm+qEf00XPxQrc8NIMp/0rgfaLb8wzTj+3G1slSytjsLHctj/fOKkGJIFyBk7xzvnWdkhyxxvHgfMS",
        key: "ed7f6d8340cce86c0e7d79c2a9438710575221bf30a0eb602821fa8f7f3123bf",
    },
    // v1.1-aessiv
    Example {
        flags: "GCMIV128 DirIV EMENames LongNames AESSIV",
        salt: "oEt1In6W5UD1Pe9CFSz21x5ptTRluU43mmshUtmSwAk=",
        wrapped: "y2ldEXg3Ui0jwic99bqvvrvGRPRDB7gYzvOBwZxcmWqRgcp3BLMShhIXwx3Pewmst5TivqSrK2r9wUIL",
        key: "eaf371c3f9a553368819f22b7bccd7c2a738cf617261c65814c28a039428992b",
    },
    // v1.3
    Example {
        flags: "GCMIV128 DirIV EMENames LongNames Raw64 HKDF",
        salt: "LkS43fRGN3SfcFbVhPLo3uKh3h+4LYLNlqEUf+JIWf4=",
        wrapped: "WGhKfCvV/LBZdwpWz3Fs+9UFUJbtTooBiZMuthd8Hz3nq0g+zU7H+68ZkrCLdcC08PUNHVbvDdlGpRh0czbbyA==",
        key: "fd890dab86bf61cfec5ad460ad3ed01f9c52d5462a31783da56b088d3d05232e",
    },
    // v2.2-xchacha
    Example {
        flags: "HKDF XChaCha20Poly1305 DirIV EMENames LongNames Raw64",
        salt: "AjIc6CkWvrd4/41pei15ulBKIcptIzvvJuCI+YB8pkA=",
        wrapped: "6pVNGTIq5c4uXu90ZBjg2jKPvSqYc6gEfQ3/dEaMqKhd0CnaEYEm6+4oyrIfQkn0X7/hkW/HaCAqK0G0rcv1nw==",
        key: "44670e7e32475bfcbdfb8a8cbe17a7670679cac0be705d8caf41c41128c40f26",
    },
    // v2.2-deterministic-names
    Example {
        flags: "HKDF GCMIV128 EMENames LongNames Raw64",
        salt: "yzBcjuwLGUjscVFL01kZAAfCk+9LpSl1CqDhavxOt+Y=",
        wrapped: "RnoIHKZ0FW4hGgovIbo6ictZt6eISBCFAVQjIelO1In5GdWE3j6svtOirIg2xHpT9hwOSplVg8MgV0Y5Qw0TyQ==",
        key: "722733f5b0f399f55465ad7af0bed125e82de7b4045e7608a5e5c78e04a1a61e",
    },
];

#[test]
fn the_master_keys_of_the_example_volumes_open() {
    for example in EXAMPLES {
        let Example { salt, wrapped, .. } = example;
        let flags = example.flags.replace(' ', "\", \"");
        let text = format!(
            "{{\"EncryptedKey\": \"{wrapped}\", \"Version\": 2, \"FeatureFlags\": [\"{flags}\"],
            \"ScryptObject\": {{\"Salt\": \"{salt}\", \"N\": 1024, \"R\": 8, \"P\": 1, \"KeyLen\": 32}}}}"
        );
        let conf = Conf::parse(text.as_bytes()).unwrap();
        let key = conf.unlock(&Password::new("test".into())).unwrap();
        assert_eq!(tests::hex(&key), example.key, "{}", example.flags);
    }
}
