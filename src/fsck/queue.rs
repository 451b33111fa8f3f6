//! Work for several threads, in bounded memory.
//!
//! Who makes work offers it; when the queue is full, the maker does it itself. So nobody ever
//! waits for room, and the queue never grows beyond its capacity by offers.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

/// Tasks that wait for a thread.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
    capacity: usize,
}

struct State<T> {
    tasks: VecDeque<T>,
    /// Threads that are at work, and may make more of it.
    busy: usize,
    /// Threads that wait for work.
    idle: usize,
}

impl<T> Queue<T> {
    /// An empty queue for `workers` threads, each of which will call [`Queue::work`] once.
    pub(super) fn new(capacity: usize, workers: usize) -> Queue<T> {
        Queue {
            state: Mutex::new(State {
                tasks: VecDeque::with_capacity(capacity),
                busy: workers,
                idle: 0,
            }),
            arrived: Condvar::new(),
            capacity,
        }
    }

    /// Takes a task, or gives it back when there is no room.
    pub(super) fn offer(&self, task: T) -> Option<T> {
        let mut state = self.state.lock();
        if state.tasks.len() >= self.capacity {
            return Some(task);
        }
        self.add(&mut state, task);
        None
    }

    /// Takes a task, room or not.
    pub(super) fn push(&self, task: T) {
        self.add(&mut self.state.lock(), task);
    }

    fn add(&self, state: &mut State<T>, task: T) {
        state.tasks.push_back(task);
        if state.idle > 0 {
            self.arrived.notify_one();
        }
    }

    /// Runs tasks until there are none, and nobody is left who could make more.
    pub(super) fn work(&self, mut run: impl FnMut(T)) {
        let _leaving = Leaving(self);
        while let Some(task) = self.next() {
            run(task);
        }
    }

    fn next(&self) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if let Some(task) = state.tasks.pop_front() {
                return Some(task);
            }
            if state.busy == 1 {
                return None;
            }
            state.busy -= 1;
            state.idle += 1;
            self.arrived.wait(&mut state);
            state.idle -= 1;
            state.busy += 1;
            if state.busy == 1 && state.tasks.is_empty() {
                return None;
            }
        }
    }
}

/// A thread that is about to end, by a panic maybe: the others must not wait for it.
struct Leaving<'a, T>(&'a Queue<T>);

impl<T> Drop for Leaving<'_, T> {
    fn drop(&mut self) {
        self.0.state.lock().busy -= 1;
        self.0.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_full_queue_gives_the_task_back() {
        let queue = Queue::new(2, 1);
        assert_eq!(
            [1, 2, 3].map(|task| queue.offer(task)),
            [None, None, Some(3)]
        );
        queue.push(4);
        let mut done = Vec::new();
        queue.work(|task| done.push(task));
        assert_eq!(done, [1, 2, 4]);
    }

    #[test]
    fn tasks_that_make_tasks_are_all_done_by_any_number_of_threads() {
        for threads in 1..=4 {
            let queue = Queue::new(3, threads);
            let done = AtomicU32::new(0);
            queue.push(12);
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| queue.work(|depth| split(&queue, depth, &done)));
                }
            });
            assert_eq!(done.load(Ordering::Relaxed), (1 << 13) - 1);
        }
    }

    /// Makes two tasks of one, down to depth 0.
    fn split(queue: &Queue<u32>, depth: u32, done: &AtomicU32) {
        done.fetch_add(1, Ordering::Relaxed);
        if depth > 0 {
            for _ in 0..2 {
                if let Some(task) = queue.offer(depth - 1) {
                    split(queue, task, done);
                }
            }
        }
    }
}
