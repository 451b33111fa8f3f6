//! The command line beside that of the Go program: exit codes, and the messages that scripts and
//! desktop programs look for.

mod background;
mod clients;
mod conf;
mod desk;
mod fido2;
mod fstab;
mod init;
mod kernel;
mod lines;
mod options;
mod plain_user;
mod point;
mod syslog;
mod terminal;
mod verbs;
