//! Order and fairness: which task is polled first, and that none is starved.

use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use executor::{Executor, JoinHandle, RemoteSpawn, Spawn, WakeNames, yield_now};

use super::{drive_here, restless, rounds};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, drive, on_another_thread};

clause! {
    "X10" Quality "A task that wakes itself on every poll starves neither other tasks nor the root."
    guards "smol#171, rust-lang/futures-rs#2047 and #2551: a loop that polls one task forever."
    pub fn x10_a_task_that_wakes_itself_starves_nobody<E: Executor>() -> Outcome {
        const YIELDS: usize = 100;
        /// A FIFO queue makes it 1. Published executors poll their root every 61 or 200 polls.
        const POLLS_PER_YIELD: usize = 1_000;
        let executor = E::default();
        let greedy = Log::new();
        // It ends after many polls, so that starvation is a failure and not a hang.
        drop(executor.spawn(greedy.future(|poll, cx| {
            if poll > 3 * YIELDS * POLLS_PER_YIELD { Poll::Ready(()) } else { restless(poll, cx) }
        })));
        let meek = executor.spawn(async {
            for _ in 0..YIELDS {
                yield_now().await;
            }
        });
        assert!(executor.block_on(meek).is_ok());
        let polls = greedy.polls();
        assert!(polls < YIELDS * POLLS_PER_YIELD, "it was polled {polls} times while a task yielded {YIELDS} times");
        drive(&executor, YIELDS);
        let polls = greedy.polls() - polls;
        assert!(polls < YIELDS * POLLS_PER_YIELD, "it was polled {polls} times while the root yielded {YIELDS} times");
        assert!(polls > 0, "a root that yields starves the tasks");
        Outcome::Pass
    }
}

clause! {
    "X10o" Quality "Tasks are polled in FIFO order per waking thread."
    guards "a stack in place of a queue, and new tasks before old ones."
    pub fn x10o_tasks_are_polled_in_the_order_in_which_they_became_ready<E: Executor>() -> Outcome {
        let executor = E::default();
        let order = Order::default();
        let logs = [(); 3].map(|()| Log::new());
        let _tasks = [0, 1, 2].map(|index| executor.spawn(order.of(&logs[index], index)));
        drive(&executor, 3);
        assert_eq!(order.take(), [0, 1, 2], "the order of the polls after the order [0, 1, 2] of the spawns");
        let wakes: &[_] = match E::CAPABILITIES.wake_names {
            WakeNames::Task => &[[0, 1, 2], [1, 2, 0]],
            WakeNames::Thread | WakeNames::Nobody => &[[0, 1, 2]],
        };
        for wakes in wakes {
            let wakers = wakes.map(|index| logs[index].waker());
            on_another_thread(|| wakers.into_iter().for_each(Waker::wake));
            order.take();
            drive(&executor, 3);
            assert_eq!(order.take(), *wakes, "the order of the polls after another thread's wakes");
        }
        for wakes in wakes {
            let fourth = Log::new();
            executor.block_on(async {
                drive_here().await;
                order.take();
                wakes.iter().for_each(|&index| logs[index].waker().wake());
                let task = executor.spawn(order.of(&fourth, 3));
                for _ in 0..3 {
                    yield_now().await;
                }
                task.abort();
            });
            let expected: Vec<_> = wakes.iter().copied().chain([3]).collect();
            assert_eq!(order.take(), expected, "the order of the polls after the root's wakes, and a spawn");
            drive(&executor, 3);
        }
        Outcome::Pass
    }
}

clause! {
    "X10f" Quality
        "That order also holds between what was made ready before a `block_on` and in the first poll of its root."
    guards "the first poll of a root, before its thread drives: what it makes ready must not overtake older tasks."
    pub fn x10f_a_first_poll_overtakes_nothing<E: Executor>() -> Outcome {
        let executor = E::default();
        let order = Order::default();
        let logs = [(); 3].map(|()| Log::new());
        let _tasks = [0, 1, 2].map(|index| executor.spawn(order.of(&logs[index], index)));
        drive(&executor, 3);
        let wakes: &[_] = match E::CAPABILITIES.wake_names {
            WakeNames::Task => &[[0, 1, 2], [1, 2, 0]],
            WakeNames::Thread | WakeNames::Nobody => &[[0, 1, 2]],
        };
        for wakes in wakes {
            let (before, first_poll) = wakes.split_at(1);
            let fourth = Log::new();
            before.iter().for_each(|&index| logs[index].waker().wake());
            let mut task = None;
            executor.block_on(async {
                first_poll.iter().for_each(|&index| logs[index].waker().wake());
                task = Some(executor.spawn(order.of(&fourth, 3)));
            });
            order.take();
            drive(&executor, 3);
            let expected: Vec<_> = wakes.iter().copied().chain([3]).collect();
            assert_eq!(order.take(), expected, "polls after wakes before and in a first poll, and a spawn");
            task.expect("it was spawned").abort();
            drive(&executor, 3);
        }
        Outcome::Pass
    }
}

clause! {
    "X10s" Quality "A task that another thread wakes during a poll is polled before one that it spawns after that."
    guards "a queue that puts new tasks first: a program that spawns all the time keeps the others waiting."
    pub fn x10s_a_new_task_stands_behind_those_that_were_woken_before<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let (old, new) = (Log::new(), Log::new());
        let polls_before = Arc::new(AtomicUsize::new(0));
        drop(executor.spawn(old.future(|poll, _| if poll > 1 { Poll::Ready(()) } else { Poll::Pending })));
        drop(executor.spawn({
            let (spawner, polls_before) = (executor.spawner(), polls_before.clone());
            let (old, new) = (old.clone(), new.clone());
            async move {
                on_another_thread(move || {
                    old.waker().wake();
                    drop(spawner.spawn(new.future(move |_, _| {
                        polls_before.store(old.polls(), SeqCst);
                        Poll::Ready(())
                    })));
                });
            }
        }));
        executor.run();
        assert_eq!(polls_before.load(SeqCst), 2, "polls of the woken task before the first poll of the spawned one");
        [&old, &new].into_iter().for_each(|log| log.assert_sound());
        Outcome::Pass
    }
}

clause! {
    "X22o" Quality "FIFO order per waking thread holds even if that thread takes over driving in between."
    guards "found here: what a follower had woken was queued behind what it woke as the driver."
    pub fn x22o_the_order_survives_a_hand_over<E: RemoteSpawn>() -> Outcome {
        for round in rounds(2_000) {
            let executor = Arc::new(E::default());
            let order = Order::default();
            let logs = [(); 2].map(|()| Log::new());
            let _tasks = [0, 1].map(|index| executor.spawn(order.of(&logs[index], index)));
            drive(&*executor, 3);
            order.take();
            let (driving, woken) = (Gate::new(), Gate::new());
            let mut wakers = logs.each_ref().map(|log| Some(log.waker()));
            let follower = Log::new();
            let thread = thread::spawn({
                let (executor, driving, woken) = (executor.clone(), driving.clone(), woken.clone());
                let root = follower.future(move |poll, _| {
                    if poll == 1 {
                        driving.wait("the other thread's root");
                        wakers[0].take().into_iter().for_each(Waker::wake);
                        woken.open();
                        return Poll::Pending;
                    }
                    wakers[1].take().into_iter().for_each(Waker::wake);
                    Poll::Ready(())
                });
                move || executor.block_on(root)
            });
            executor.block_on(async {
                drive_here().await;
                driving.open();
                // The root is then ready: this thread leaves without another look at the queue.
                woken.wait("the wake by the thread that follows");
            });
            // During this pause the other thread takes over, at a different moment each time.
            (0..round % 64 * 16).for_each(|_| std::hint::spin_loop());
            follower.waker().wake();
            thread.join().expect("it does not panic");
            drive(&*executor, 3);
            assert_eq!(order.take(), [0, 1], "the order of the polls");
        }
        Outcome::Pass
    }
}

/// The order in which tasks were polled.
#[derive(Clone, Default)]
struct Order {
    polled: Arc<Mutex<Vec<usize>>>,
}

impl Order {
    /// A pending future that records its polls.
    fn of(&self, log: &Arc<Log>, index: usize) -> impl Future<Output = ()> + Send + 'static {
        let polled = self.polled.clone();
        log.future(move |_, _| {
            let mut polled = polled.lock().unwrap();
            // Once each: some executors poll what was not woken.
            if !polled.contains(&index) {
                polled.push(index);
            }
            Poll::Pending
        })
    }

    /// The tasks polled since the last call, each once.
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.polled.lock().unwrap())
    }
}
