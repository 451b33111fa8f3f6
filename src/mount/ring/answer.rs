//! One request of a ring: what it asks, and the answer (`linux/fuse.h`).

use crate::mount::ring::fields::{Input, Output};
use crate::mount::server::{Server, log_failure};
use crate::sys::{self, RingRequest};
use crate::vfs::{Caller, Entry, Errno, Error, Handle, NodeId, OpenFlags, Result, Vfs};

/// Data only (`FUSE_FSYNC_FDATASYNC`).
pub(super) const SYNC_DATA: u32 = 1;

/// The operation that reads a file.
const READ: u32 = 15;
/// From this length on, bytes, reading takes longer than waking another CPU.
const LONG: u32 = 128 << 10;

/// Whether a request will keep a CPU busy for long.
pub(super) fn takes_long(request: &RingRequest<'_>) -> bool {
    let (mut header, mut arguments) = (Input(request.header), Input(request.arguments));
    let mut read_len = || {
        header.skip(4)?;
        let operation = header.u32()?;
        // the handle and the offset
        arguments.skip(16)?;
        Result::Ok((operation == READ).then_some(arguments.u32()?))
    };
    read_len().is_ok_and(|len| len.is_some_and(|len| len >= LONG))
}

/// Serves a request; returns the length of the answer in its payload.
pub(super) fn to<V: Vfs>(server: &Server<V>, request: RingRequest<'_>) -> sys::Result<usize> {
    serve(server, request).map_err(|error| error.errno())
}

fn serve<V: Vfs>(server: &Server<V>, request: RingRequest<'_>) -> Result<usize> {
    let RingRequest {
        header,
        arguments,
        payload,
        len,
    } = request;
    let mut header = Input(header);
    let (_len, operation, _unique) = (header.u32()?, header.u32()?, header.u64()?);
    let node = NodeId(header.u64()?);
    let caller = Caller {
        uid: header.u32()?,
        gid: header.u32()?,
        pid: header.u32()?,
        umask: 0,
    };
    let call = Call {
        server,
        node,
        caller,
        arguments: Input(arguments),
        payload,
        len,
    };
    call.serve(operation)
}

/// A request that is being served.
pub(super) struct Call<'a, V> {
    pub(super) server: &'a Server<V>,
    pub(super) node: NodeId,
    pub(super) caller: Caller,
    pub(super) arguments: Input<'a>,
    pub(super) payload: &'a mut [u8],
    /// How much of the payload is the request's.
    pub(super) len: usize,
}

impl<V: Vfs> Call<'_, V> {
    fn serve(self, operation: u32) -> Result<usize> {
        let (name, answer) = match operation {
            1 => ("lookup", self.lookup()),
            3 => ("getattr", self.getattr()),
            4 => ("setattr", self.setattr()),
            5 => ("readlink", self.readlink()),
            6 => ("symlink", self.symlink()),
            8 => ("mknod", self.mknod()),
            9 => ("mkdir", self.mkdir()),
            10 => ("unlink", self.unlink()),
            11 => ("rmdir", self.rmdir()),
            12 => ("rename", self.rename(false)),
            13 => ("link", self.link()),
            14 => ("open", self.open()),
            READ => ("read", self.read()),
            16 => ("write", self.write()),
            17 => ("statfs", self.statfs()),
            18 => ("release", self.release()),
            20 => ("fsync", self.fsync()),
            21 => ("setxattr", self.setxattr()),
            22 => ("getxattr", self.getxattr()),
            23 => ("listxattr", self.listxattr()),
            24 => ("removexattr", self.removexattr()),
            25 => ("flush", self.flush()),
            27 => ("opendir", self.opendir()),
            28 => ("readdir", self.readdir()),
            29 => ("releasedir", self.releasedir()),
            30 => ("fsyncdir", self.fsyncdir()),
            34 => ("access", self.access()),
            35 => ("create", self.create()),
            38 => ("destroy", Ok(0)),
            39 => ("ioctl", self.ioctl()),
            43 => ("fallocate", self.fallocate()),
            44 => ("readdirplus", self.readdirplus()),
            45 => ("rename", self.rename(true)),
            46 => ("lseek", self.lseek()),
            47 => ("copy_file_range", self.copy_file_range()),
            _ => ("request", Err(Error::Os(Errno::NOSYS))),
        };
        if let Err(error) = &answer {
            log_failure(name, error);
        }
        answer
    }

    /// The names and data of the request.
    pub(super) fn names(&self) -> Input<'_> {
        Input(&self.payload[..self.len])
    }

    pub(super) fn handle(&mut self) -> Result<Handle> {
        Ok(Handle(self.arguments.u64()?))
    }

    pub(super) fn flags(&mut self) -> Result<OpenFlags> {
        Ok(OpenFlags::from_bits_retain(self.arguments.u32()?))
    }

    /// Lets `write` write the answer.
    pub(super) fn reply(self, write: impl FnOnce(&mut Output<'_>)) -> Result<usize> {
        let mut output = Output::new(self.payload);
        write(&mut output);
        output.finish()
    }

    pub(super) fn reply_bytes(self, bytes: &[u8]) -> Result<usize> {
        self.reply(|output| output.bytes(bytes))
    }

    pub(super) fn reply_entry(self, entry: &Entry) -> Result<usize> {
        let timeouts = &self.server.timeouts;
        self.reply(|output| output.entry(timeouts, entry))
    }

    /// A number in 32 bits, and as many of padding.
    pub(super) fn reply_number(self, number: u32) -> Result<usize> {
        self.reply(|output| {
            output.u32(number);
            output.u32(0);
        })
    }
}
