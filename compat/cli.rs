//! The command line beside that of the Go program: exit codes, and the messages that scripts and
//! desktop programs look for.

mod background;
mod clients;
mod conf;
pub(crate) mod desk;
mod fido2;
mod fstab;
mod init;
mod kernel;
mod lines;
mod options;
mod plain_user;
mod point;
mod syslog;
mod systemd;
pub(crate) mod terminal;
mod verbs;
