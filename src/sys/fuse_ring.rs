//! The FUSE device through `io_uring`: requests and answers in memory shared with the kernel.
//!
//! One system call hands over an answer and waits for the next request. Source: Linux 6.14,
//! `include/uapi/linux/fuse.h` (`fuse_uring_req_header`, `fuse_uring_cmd_req`).

#![allow(unsafe_code)]
#![allow(
    clippy::host_endian_bytes,
    reason = "what programs and their kernel tell each other"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use io_uring::{IoUring, opcode, squeue, types};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

use super::{Errno, Result};

/// Hands a slot over to the kernel for the first time (`FUSE_IO_URING_CMD_REGISTER`).
const REGISTER: u32 = 1;
/// Hands over an answer, and the slot for another request (`FUSE_IO_URING_CMD_COMMIT_AND_FETCH`).
const COMMIT_AND_FETCH: u32 = 2;
/// Where a submission says how many `iovec` it points to.
const LEN_IN_SUBMISSION: usize = 24;
/// Length of the header of an answer, bytes.
const OUT_HEADER_LEN: u32 = 16;

type Ring = IoUring<squeue::Entry128>;

/// What the kernel and we write around a payload.
#[repr(C)]
struct Headers {
    /// The header of the request, later that of the answer.
    in_out: [u8; 128],
    /// The arguments of fixed length.
    arguments: [u8; 128],
    flags: u64,
    commit_id: u64,
    payload_len: u32,
    padding: u32,
    reserved: u64,
}

/// A request that the kernel has laid down.
pub struct RingRequest<'a> {
    /// `struct fuse_in_header`.
    pub header: &'a [u8],
    /// The structure that belongs to the operation, if it has one.
    pub arguments: &'a [u8],
    /// Names or data; the answer goes to the same place.
    pub payload: &'a mut [u8],
    /// How many bytes of the payload are the request's.
    pub len: usize,
}

/// Memory for one request at a time of a queue. It is not given back before the process ends, since
/// the kernel may write to it for as long as there is the ring.
struct Slot {
    queue: u16,
    headers: *mut Headers,
    payload: *mut u8,
    /// The two regions as the kernel reads them when the slot is registered.
    regions: Box<[libc::iovec; 2]>,
}

/// Where the headers end and the payload starts, bytes: a page.
const PAYLOAD_AT: usize = 4096;

impl Slot {
    fn new(queue: u16, max_payload: usize) -> Result<Slot> {
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a fresh mapping where the kernel likes touches nothing else.
        let start =
            unsafe { mmap_anonymous(ptr::null_mut(), PAYLOAD_AT + max_payload, prot, flags) }?;
        // SAFETY: the mapping is longer than that.
        let payload = unsafe { start.byte_add(PAYLOAD_AT) };
        let region = |start, len| libc::iovec {
            iov_base: start,
            iov_len: len,
        };
        let regions = [
            region(start, size_of::<Headers>()),
            region(payload, max_payload),
        ];
        Ok(Slot {
            queue,
            headers: start.cast(),
            payload: payload.cast(),
            regions: Box::new(regions),
        })
    }

    fn max_payload(&self) -> usize {
        self.regions[1].iov_len
    }

    /// The submission that gives the slot to the kernel.
    fn submission(&self, device: BorrowedFd<'_>, command: u32, index: usize) -> squeue::Entry128 {
        // SAFETY: the kernel does not write to a slot that it has not got, and it gets it now.
        let commit_id = unsafe { (*self.headers).commit_id };
        let mut words = [0; 80];
        words[8..16].copy_from_slice(&commit_id.to_ne_bytes());
        words[16..18].copy_from_slice(&self.queue.to_ne_bytes());
        let regions = self.regions.as_ptr().expose_provenance();
        let mut entry = opcode::UringCmd80::new(types::Fd(device.as_raw_fd()), command)
            .cmd(words)
            .addr(Some(regions as u64))
            .build()
            .user_data(index as u64);
        // SAFETY: the entry is the 128 bytes that the kernel reads; the crate has no setter for
        // this one of its fields.
        unsafe {
            ptr::from_mut(&mut entry)
                .byte_add(LEN_IN_SUBMISSION)
                .cast::<u32>()
                .write(2);
        }
        entry
    }

    /// Lets `serve` answer the request in the slot.
    fn answer(&mut self, serve: &mut impl FnMut(RingRequest<'_>) -> Result<usize>) {
        // SAFETY: until the slot is handed over again, the kernel leaves it alone, and nobody else
        // knows the two regions.
        let (headers, payload) = unsafe {
            let payload = std::slice::from_raw_parts_mut(self.payload, self.max_payload());
            (&mut *self.headers, payload)
        };
        let len = usize::try_from(headers.payload_len).unwrap_or_default();
        let answer = serve(RingRequest {
            header: &headers.in_out,
            arguments: &headers.arguments,
            len: len.min(payload.len()),
            payload,
        });
        let (len, error) = match answer {
            Ok(len) => (u32::try_from(len).unwrap_or_default(), 0),
            Err(errno) => (0, -errno.raw_os_error()),
        };
        headers.payload_len = len;
        // `struct fuse_out_header`; the identity of the request is where the kernel has put it.
        headers.in_out[..4].copy_from_slice(&(OUT_HEADER_LEN + len).to_ne_bytes());
        headers.in_out[4..8].copy_from_slice(&error.to_ne_bytes());
    }
}

/// Whether this process may use `io_uring`.
pub fn can_use_rings() -> bool {
    ring(1).is_ok()
}

/// A ring that only the thread uses which makes it.
fn ring(entries: u32) -> io::Result<Ring> {
    IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .build(entries)
}

/// Serves one slot of each of `queues` until the file system is unmounted. The kernel needs at
/// least one slot of each queue, and there is a queue for each CPU.
///
/// `max_payload` is the longest payload of a request or an answer, bytes. `serve` returns the
/// length of the answer.
///
/// # Errors
/// What `io_uring` or the device says. The file system then waits for ever and must be unmounted.
pub fn serve_ring(
    device: BorrowedFd<'_>,
    queues: &[u16],
    max_payload: usize,
    mut serve: impl FnMut(RingRequest<'_>) -> Result<usize>,
) -> io::Result<()> {
    let slots = queues.iter().map(|queue| Slot::new(*queue, max_payload));
    let mut slots = slots.collect::<Result<Vec<Slot>>>()?;
    let mut ring = ring(u32::try_from(slots.len().max(1)).unwrap_or(u32::MAX))?;
    for (index, slot) in slots.iter().enumerate() {
        give(&mut ring, &slot.submission(device, REGISTER, index))?;
    }
    let mut open = slots.len();
    while open > 0 {
        match ring.submit_and_wait(1) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            submitted => drop(submitted?),
        }
        let Some(done) = ring.completion().next() else {
            continue;
        };
        let index = usize::try_from(done.user_data()).unwrap_or_default();
        if done.result() >= 0 {
            slots[index].answer(&mut serve);
            let answered = slots[index].submission(device, COMMIT_AND_FETCH, index);
            give(&mut ring, &answered)?;
            continue;
        }
        match Errno::from_raw_os_error(-done.result()) {
            // Unmounted.
            Errno::NOTCONN | Errno::NODEV => open -= 1,
            errno => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Puts a submission where the kernel finds it at the next system call.
fn give(ring: &mut Ring, submission: &squeue::Entry128) -> io::Result<()> {
    // SAFETY: the slot to which it leads is never unmapped, and nobody touches it before the kernel
    // has given it back.
    unsafe { ring.submission().push(submission) }.map_err(io::Error::other)
}
