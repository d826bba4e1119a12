use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::task::{Poll, Waker};

use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{self, Alive, thread};
use executor::{AbortHandle, BlockOn, Described, JoinError, JoinHandle, RemoteSpawn, Spawn, yield_now};
use loom::alloc::Track;

use crate::explore::explore;
use crate::parts::{Event, Joiner, OnDrop, Slot, poll_once, tracked, wait};

/// A task that is polled again while another thread wakes it: the wake is not lost, whether it finds the task queued,
/// running or idle, and the thread that drives awake or parked; and the poll that it causes sees what was written
/// before it.
pub fn m01_a_wake_races_the_poll<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m01_a_wake_races_the_poll", 2, || {
        let executor = E::default();
        let (flag, waker) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let handle = executor.spawn(ready_once(&flag, &waker));
        let thread = executor.block_on(async {
            yield_now().await;
            let waker = waker.take();
            let here = waker.clone();
            let thread = thread::spawn(move || {
                flag.store(true, Relaxed);
                waker.wake();
            });
            here.wake();
            handle.await.unwrap();
            thread
        });
        thread.join().unwrap();
    });
}

/// Two threads wake a task, each after it has written a flag with `Relaxed`. The two wakes may become one, but a poll
/// follows that sees both flags: even a wake that finds the task queued happens before the poll.
pub fn m02_two_wakes_race_the_poll<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m02_two_wakes_race_the_poll", 1, || {
        let executor = E::default();
        let (flags, waker) = (Arc::new([AtomicBool::new(false), AtomicBool::new(false)]), Slot::default());
        let handle = executor.spawn({
            let (flags, waker) = (flags.clone(), waker.clone());
            tracked(move |cx| {
                waker.keep(cx);
                ready_if(flags.iter().all(|flag| flag.load(Relaxed)))
            })
        });
        let threads = executor.block_on(async {
            yield_now().await;
            let waker = waker.take();
            let threads = [0, 1].map(|index| {
                let (flags, waker) = (flags.clone(), waker.clone());
                thread::spawn(move || {
                    flags[index].store(true, Relaxed);
                    waker.wake_by_ref();
                })
            });
            handle.await.unwrap();
            threads
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Two threads use up the last two wakers of a task that has ended, one by a drop and one by a wake: the task is freed
/// once.
pub fn m03_the_last_wakers_race_each_other<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m03_the_last_wakers_race_each_other", 2, || {
        let executor = E::default();
        let waker = Slot::default();
        let handle = executor.spawn({
            let waker = waker.clone();
            tracked(move |cx| {
                waker.keep(cx);
                Poll::Ready(())
            })
        });
        executor.block_on(handle).unwrap();
        let waker = waker.take();

        let clone = waker.clone();
        let thread = thread::spawn(move || drop(clone));
        drop(waker.clone());
        waker.wake();
        thread.join().unwrap();
    });
}

/// A handle, polled once with another waker before, is polled while the task completes on another thread: the joiner is
/// woken, or finds the result.
pub fn m04_a_joiner_races_completion<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m04_a_joiner_races_completion", 2, || {
        let executor = Arc::new(E::default());
        let mut handle = executor.spawn(tracked(|_| Poll::Ready(Track::new(7))));
        assert!(poll_once(&mut handle, &Waker::from(Joiner::new())).is_pending());
        let driver = executor.clone();
        let thread = thread::spawn(move || driver.block_on(yield_now()));
        assert_eq!(*wait(handle).unwrap().get_ref(), 7);
        thread.join().unwrap();
    });
}

/// A handle, polled once with a waker before, is dropped while the task completes on another thread: result and waker
/// are dropped once each.
pub fn m05_a_handles_drop_races_completion<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m05_a_handles_drop_races_completion", 2, || {
        let executor = Arc::new(E::default());
        let mut handle = executor.spawn(tracked(|_| Poll::Ready(Track::new(7))));
        assert!(poll_once(&mut handle, &Waker::from(Joiner::new())).is_pending());
        let driver = executor.clone();
        let thread = thread::spawn(move || driver.block_on(yield_now()));
        drop(handle);
        thread.join().unwrap();
    });
}

/// One thread aborts a task while another wakes it and a third drives: the future is dropped once, by the last, and the
/// handle says so.
pub fn m06_an_abort_and_a_wake_race_the_poll<E>()
where
    E: RemoteSpawn + Described,
    E::JoinHandle<()>: 'static,
{
    explore(E::NAME, "m06_an_abort_and_a_wake_race_the_poll", 2, || {
        let executor = E::default();
        let (waker, dropped) = (Slot::default(), Event::new());
        let handle: E::JoinHandle<()> = executor.spawn({
            let (waker, dropped, owner) = (waker.clone(), dropped.clone(), thread::current().id());
            let guard = OnDrop(move || {
                assert_eq!(thread::current().id(), owner, "another thread than the one that drives dropped the future");
                dropped.set();
            });
            tracked(move |cx| {
                let _ = &guard;
                waker.keep(cx);
                Poll::Pending
            })
        });
        let (waking, aborting) = executor.block_on(async {
            yield_now().await;
            let waker = waker.take();
            let waking = thread::spawn(move || waker.wake());
            let aborting = thread::spawn(move || {
                handle.abort();
                handle
            });
            poll_fn(|cx| dropped.poll(cx)).await;
            (waking, aborting)
        });
        waking.join().unwrap();
        let handle = aborting.join().unwrap();
        assert!(matches!(wait(handle), Err(JoinError::Cancelled)));
    });
}

/// The executor is dropped while another thread wakes one of its tasks: nothing leaks, and nothing is used after it
/// was freed.
pub fn m07_a_wake_races_the_executors_drop<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m07_a_wake_races_the_executors_drop", 2, || {
        let executor = E::default();
        let waker = Slot::default();
        let handle = executor.spawn(never(&waker));
        executor.block_on(yield_now());
        let waker = waker.take();

        let thread = thread::spawn(move || {
            waker.wake_by_ref();
            waker.wake();
        });
        drop(executor);
        assert!(matches!(wait(handle), Err(JoinError::Cancelled)));
        thread.join().unwrap();
    });
}

/// The executor is dropped, and with it a future whose drop wakes another task, while a thread wakes the first one.
pub fn m08_a_drop_that_wakes_races_a_wake<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m08_a_drop_that_wakes_races_a_wake", 2, || {
        let executor = E::default();
        let (first, second) = (Slot::default(), Slot::default());
        let handle = executor.spawn({
            let (first, second) = (first.clone(), second.clone());
            let guard = OnDrop(move || second.take().wake());
            tracked(move |cx| {
                let _ = &guard;
                first.keep(cx);
                Poll::<()>::Pending
            })
        });
        drop(executor.spawn(never(&second)));
        executor.block_on(yield_now());
        let first = first.take();

        let thread = thread::spawn(move || first.wake());
        drop(executor);
        assert!(matches!(wait(handle), Err(JoinError::Cancelled)));
        thread.join().unwrap();
    });
}

/// Two threads wake two tasks while the driving thread parks: neither wake is overlooked.
pub fn m09_two_wakes_race_the_park<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m09_two_wakes_race_the_park", 1, || {
        let executor = E::default();
        let tasks = [(); 2].map(|()| {
            let (flag, waker) = (Arc::new(AtomicBool::new(false)), Slot::default());
            let handle = executor.spawn(ready_once(&flag, &waker));
            (flag, waker, handle)
        });
        let threads = executor.block_on(async {
            yield_now().await;
            let woken = tasks.map(|(flag, waker, handle)| {
                let waker = waker.take();
                let thread = thread::spawn(move || {
                    flag.store(true, Relaxed);
                    waker.wake();
                });
                (handle, thread)
            });
            let mut threads = Vec::new();
            for (handle, thread) in woken {
                handle.await.unwrap();
                threads.push(thread);
            }
            threads
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The root is woken while the user's code, inside the root's poll, parks the thread for its own reasons and so takes
/// the token: the root is polled again.
pub fn m10_a_wake_races_foreign_parking<E: BlockOn + Described>() {
    explore(E::NAME, "m10_a_wake_races_foreign_parking", 2, || {
        let executor = E::default();
        let mut waking = None;
        executor.block_on(tracked(|cx| {
            if waking.is_some() {
                return Poll::Ready(());
            }
            let done = Arc::new(AtomicBool::new(false));
            let (theirs, waker, this) = (done.clone(), cx.waker().clone(), thread::current());
            waking = Some(thread::spawn(move || {
                waker.wake();
                theirs.store(true, Release);
                this.unpark();
            }));
            while !done.load(Acquire) {
                thread::park();
            }
            Poll::Pending
        }));
        waking.expect("it was polled").join().unwrap();
    });
}

/// A thread spawns a task while the driving thread parks, and awaits it.
pub fn m11_a_spawn_races_the_park<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m11_a_spawn_races_the_park", 2, || {
        let executor = E::default();
        let spawner = executor.spawner();
        let (done, root) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let theirs = done.clone();
        let mut spawning = None;
        executor.block_on(tracked(|cx| {
            if spawning.is_none() {
                let (spawner, done, waker) = (spawner.clone(), theirs.clone(), cx.waker().clone());
                spawning = Some(thread::spawn(move || {
                    wait(spawner.spawn(tracked(|_| Poll::Ready(())))).unwrap();
                    done.store(true, Relaxed);
                    waker.wake();
                }));
            }
            root.keep(cx);
            ready_if(done.load(Relaxed))
        }));
        spawning.expect("it was polled").join().unwrap();
    });
}

/// Two threads are in `block_on` of one executor. The one that drives may leave while the other waits for a task, which
/// it must then drive itself.
pub fn m12_a_driver_hands_over_to_another<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m12_a_driver_hands_over_to_another", 2, || {
        let executor = Arc::new(E::default());
        let event = Event::new();
        let handle = executor.spawn({
            let event = event.clone();
            tracked(move |cx| event.poll(cx))
        });
        let other = executor.clone();
        let thread = thread::spawn(move || {
            other.block_on(yield_now());
            event.set();
        });
        executor.block_on(handle).unwrap();
        thread.join().unwrap();
    });
}

/// A thread spawns a task and calls `run` while another thread drives: when `run` returns, the task has ended.
pub fn m13_run_races_another_driver<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m13_run_races_another_driver", 2, || {
        let executor = Arc::new(E::default());
        let other = executor.clone();
        let thread = thread::spawn(move || other.block_on(yield_now()));
        let ended = Arc::new(AtomicBool::new(false));
        let ends = ended.clone();
        drop(executor.spawn(tracked(move |_| {
            ends.store(true, Relaxed);
            Poll::Ready(())
        })));
        executor.run();
        assert!(ended.load(Relaxed), "`run` returned before the task had ended");
        thread.join().unwrap();
    });
}

/// A thread spawns while the executor is dropped: the future is dropped, and the handle says so.
pub fn m14_a_spawn_races_the_executors_drop<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m14_a_spawn_races_the_executors_drop", 2, || {
        let executor = E::default();
        let spawner = executor.spawner();
        let thread = thread::spawn(move || {
            let handle = spawner.spawn(tracked(|_| Poll::<()>::Pending));
            assert!(matches!(wait(handle), Err(JoinError::Cancelled)));
        });
        drop(executor);
        thread.join().unwrap();
    });
}

/// Two threads wake the root, each after it has written a flag with `Relaxed`: [`m02_two_wakes_race_the_poll`], for
/// the root instead of a task.
pub fn m15_two_wakes_race_the_roots_poll<E: BlockOn + Described>() {
    explore(E::NAME, "m15_two_wakes_race_the_roots_poll", 2, || {
        let executor = E::default();
        let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let mut threads = Vec::new();
        executor.block_on(poll_fn(|cx| {
            if threads.is_empty() {
                threads.extend([0, 1].map(|index| {
                    let (flags, waker) = (flags.clone(), cx.waker().clone());
                    thread::spawn(move || {
                        flags[index].store(true, Relaxed);
                        waker.wake();
                    })
                }));
            }
            ready_if(flags.iter().all(|flag| flag.load(Relaxed)))
        }));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// A thread calls `run` of an executor without tasks while another drives: the other must let it return.
pub fn m16_a_driver_answers_run<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m16_a_driver_answers_run", 2, || {
        let executor = Arc::new(E::default());
        let other = executor.clone();
        let mut running = None;
        executor.block_on(tracked(|cx| match running.take() {
            None => {
                let (other, waker) = (other.clone(), cx.waker().clone());
                let done = Event::new();
                let tell = done.clone();
                let thread = thread::spawn(move || {
                    other.run();
                    tell.set();
                });
                running = Some((done, thread));
                waker.wake();
                Poll::Pending
            }
            Some((done, thread)) => {
                let poll = done.poll(cx);
                match poll {
                    Poll::Ready(()) => thread.join().unwrap(),
                    Poll::Pending => running = Some((done, thread)),
                }
                poll
            }
        }));
    });
}

/// A task is aborted while it completes on another thread: the handle yields the result, or says that the task was
/// cancelled, and the future is gone either way.
pub fn m17_an_abort_races_completion<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m17_an_abort_races_completion", 2, || {
        let executor = Arc::new(E::default());
        let handle = executor.spawn(tracked(|_| Poll::Ready(Track::new(7))));
        let driver = executor.clone();
        let thread = thread::spawn(move || driver.block_on(yield_now()));
        handle.abort();
        match wait(handle) {
            Ok(value) => assert_eq!(*value.get_ref(), 7),
            Err(error) => assert!(matches!(error, JoinError::Cancelled)),
        }
        thread.join().unwrap();
    });
}

/// A thread waits in `run` for a task. Another thread makes the task ready, and gives up the right to drive right
/// after.
pub fn m18_run_races_the_end_of_the_last_task<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m18_run_races_the_end_of_the_last_task", 2, || {
        let executor = Arc::new(E::default());
        let (event, ended) = (Event::new(), Arc::new(AtomicBool::new(false)));
        drop(executor.spawn({
            let (event, ended) = (event.clone(), ended.clone());
            tracked(move |cx| {
                let poll = event.poll(cx);
                ended.store(poll.is_ready(), Relaxed);
                poll
            })
        }));
        let other = executor.clone();
        let thread = thread::spawn(move || {
            other.run();
            assert!(ended.load(Relaxed), "`run` returned before the task had ended");
        });
        executor.block_on(async {
            yield_now().await;
            event.set();
        });
        thread.join().unwrap();
    });
}

/// A thread calls `is_finished` while the task ends on another: if the answer is yes, it sees that the future is gone.
pub fn m19_is_finished_races_completion<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m19_is_finished_races_completion", 2, || {
        let executor = Arc::new(E::default());
        let dropped = Arc::new(AtomicBool::new(false));
        let handle = executor.spawn({
            let dropped = dropped.clone();
            let guard = OnDrop(move || dropped.store(true, Relaxed));
            tracked(move |_| {
                let _ = &guard;
                Poll::Ready(())
            })
        });
        let driver = executor.clone();
        let thread = thread::spawn(move || driver.block_on(yield_now()));
        if handle.is_finished() {
            assert!(dropped.load(Relaxed), "`is_finished`, and the future is not seen to be gone");
        }
        thread.join().unwrap();
    });
}

/// A waker of a `block_on` that has returned is woken during the next one, and does nothing to it.
pub fn m20_a_stale_wake_races_the_next_root<E: BlockOn + Described>() {
    explore(E::NAME, "m20_a_stale_wake_races_the_next_root", 2, || {
        let executor = E::default();
        let stale = executor.block_on(poll_fn(|cx| {
            let waker = cx.waker().clone();
            Poll::Ready(thread::spawn(move || waker.wake()))
        }));
        wait_for_a_wake(&executor);
        stale.join().unwrap();
    });
}

/// As [`m12_a_driver_hands_over_to_another`], while a third thread wakes the task.
pub fn m21_a_wake_races_the_handing_over<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m21_a_wake_races_the_handing_over", 1, || {
        let executor = Arc::new(E::default());
        let event = Event::new();
        let handle = executor.spawn({
            let event = event.clone();
            tracked(move |cx| event.poll(cx))
        });
        let other = executor.clone();
        let leaving = thread::spawn(move || other.block_on(yield_now()));
        let waking = thread::spawn(move || event.set());
        executor.block_on(handle).unwrap();
        leaving.join().unwrap();
        waking.join().unwrap();
    });
}

/// The last handle is dropped while a wake by value from another thread leads to the task's end: the last one frees
/// it.
pub fn m22_the_last_handle_and_the_last_waker_race_completion<E>()
where
    E: RemoteSpawn + Described,
    E::JoinHandle<()>: 'static,
{
    explore(E::NAME, "m22_the_last_handle_and_the_last_waker_race_completion", 1, || {
        let executor = E::default();
        let event = Event::new();
        let handle: E::JoinHandle<()> = executor.spawn({
            let event = event.clone();
            tracked(move |cx| event.poll(cx))
        });
        let threads = executor.block_on(async {
            yield_now().await;
            [thread::spawn(move || event.set()), thread::spawn(move || drop(handle))]
        });
        executor.run();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Two threads wake two tasks while the executor is dropped: no task is left in a queue that nobody drains.
pub fn m23_two_wakes_race_the_executors_drop<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m23_two_wakes_race_the_executors_drop", 2, || {
        let executor = E::default();
        let slots = [Slot::default(), Slot::default()];
        slots.iter().for_each(|slot| drop(executor.spawn(never(slot))));
        executor.block_on(yield_now());
        let threads = slots.map(|slot| {
            let waker = slot.take();
            thread::spawn(move || waker.wake())
        });
        drop(executor);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// A handle that was polled by the thread that drives is polled by another while the task completes: the joiner that
/// registered last is woken, or finds the result.
pub fn m24_a_handle_that_moves_races_completion<E>()
where
    E: RemoteSpawn + Described,
    E::JoinHandle<Track<usize>>: 'static,
{
    explore(E::NAME, "m24_a_handle_that_moves_races_completion", 2, || {
        let executor = E::default();
        let gate = Event::new();
        let mut handle = executor.spawn({
            let gate = gate.clone();
            tracked(move |cx| gate.poll(cx).map(|()| Track::new(7_usize)))
        });
        let thread = executor.block_on(async {
            yield_now().await;
            poll_fn(|cx| Poll::Ready(assert!(poll_once(&mut handle, cx.waker()).is_pending()))).await;
            let thread = thread::spawn(move || assert_eq!(*wait(handle).unwrap().get_ref(), 7));
            gate.set();
            yield_now().await;
            thread
        });
        thread.join().unwrap();
    });
}

/// A waker that was cloned on the thread that drives is cloned, woken and dropped on another, while the task ends and
/// the executor is done with it: it is freed once, after all.
pub fn m25_a_waker_that_moves_races_the_end<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m25_a_waker_that_moves_races_the_end", 2, || {
        let executor = E::default();
        let (flag, waker) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let handle = executor.spawn(ready_once(&flag, &waker));
        let thread = executor.block_on(async {
            yield_now().await;
            let waker = waker.take();
            let here = waker.clone();
            let thread = thread::spawn(move || {
                let clone = waker.clone();
                flag.store(true, Relaxed);
                waker.wake();
                drop(clone);
            });
            drop(here);
            handle.await.unwrap();
            thread
        });
        drop(executor);
        thread.join().unwrap();
    });
}

/// A handle is polled and then dropped while the task ends: the joiner is gone with it, though a waker of the task is
/// kept.
pub fn m26_a_joiner_goes_with_its_handle<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m26_a_joiner_goes_with_its_handle", 2, || {
        let executor = Arc::new(E::default());
        let waker = Slot::default();
        let mut handle = executor.spawn({
            let waker = waker.clone();
            tracked(move |cx| {
                waker.keep(cx);
                Poll::Ready(())
            })
        });
        let driver = executor.clone();
        let thread = thread::spawn(move || driver.block_on(yield_now()));
        let joiner = Joiner::new();
        // Ready or not.
        let _ = poll_once(&mut handle, &Waker::from(joiner.clone()));
        drop(handle);
        thread.join().unwrap();
        assert_eq!(Arc::strong_count(&joiner), 1, "the joiner is kept");
        drop(waker.take());
    });
}

/// A task is aborted while another thread is about to queue it: a thread that knows of the abort sees no further poll.
pub fn m27_an_abort_beside_a_wake_under_way<E>()
where
    E: RemoteSpawn + Described,
    E::JoinHandle<()>: 'static,
{
    explore(E::NAME, "m27_an_abort_beside_a_wake_under_way", 2, || {
        let executor = E::default();
        let (waker, over) = (Slot::default(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
        let handle: E::JoinHandle<()> = executor.spawn({
            let (waker, over) = (waker.clone(), over.clone());
            tracked(move |cx| {
                waker.keep(cx);
                assert!(!over.load(Relaxed), "polled in a turn after the abort");
                Poll::Pending
            })
        });
        let (waking, aborting) = executor.block_on(async {
            yield_now().await;
            let here = waker.take();
            let (there, aborted) = (here.clone(), Arc::new(AtomicBool::new(false)));
            let waking = thread::spawn(move || there.wake());
            let aborting = thread::spawn({
                let aborted = aborted.clone();
                move || {
                    handle.abort();
                    // Release: pairs with the Acquire below.
                    aborted.store(true, Release);
                    handle
                }
            });
            here.wake();
            if aborted.load(Acquire) {
                over.store(true, Relaxed);
            }
            yield_now().await;
            (waking, aborting)
        });
        waking.join().unwrap();
        drop(aborting.join().unwrap());
    });
}

/// The thread that drives wakes a task that has ended, while another drops a waker of it: the wake does nothing, and
/// the task is freed once.
pub fn m28_a_wake_after_the_end<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m28_a_wake_after_the_end", 2, || {
        let executor = E::default();
        let waker = Slot::default();
        let handle = executor.spawn({
            let waker = waker.clone();
            tracked(move |cx| {
                waker.keep(cx);
                Poll::Ready(())
            })
        });
        executor.block_on(async {
            handle.await.unwrap();
            let waker = waker.take();
            let clone = waker.clone();
            let thread = thread::spawn(move || drop(clone));
            for _ in 0..2 {
                waker.wake_by_ref();
                yield_now().await;
            }
            drop(waker);
            thread.join().unwrap();
        });
    });
}

/// A handle is dropped by the thread that drives, once before and once after the end of its task: the result is dropped
/// each time.
pub fn m29_a_handle_is_dropped_at_home<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m29_a_handle_is_dropped_at_home", 2, || {
        let executor = E::default();
        executor.block_on(async {
            yield_now().await;
            drop(executor.spawn(tracked(|_| Poll::Ready(Track::new(7)))));
            let handle = executor.spawn(tracked(|_| Poll::Ready(Track::new(7))));
            while !handle.is_finished() {
                yield_now().await;
            }
            drop(handle);
        });
    });
}

/// A task is polled to its end and joined: its memory does not wait for the next call.
pub fn m30_what_has_ended_is_freed<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m30_what_has_ended_is_freed", 2, || {
        let executor = E::default();
        // The first call leaves the thread's own waker.
        executor.block_on(yield_now());
        let before = Alive::count();
        executor.block_on(async {
            yield_now().await;
            executor.spawn(tracked(|_| Poll::Ready(()))).await.unwrap();
        });
        assert_eq!(Alive::count(), before);
    });
}

/// A root has polled a handle and keeps it. The handle is dropped when another thread may drive, and end the task.
pub fn m31_a_kept_handle_races_the_next_driver<E>()
where
    E: RemoteSpawn + Described + 'static,
    E::JoinHandle<Track<usize>>: 'static,
{
    explore(E::NAME, "m31_a_kept_handle_races_the_next_driver", 2, || {
        let executor = Arc::new(E::default());
        let event = Event::new();
        let mut handle = executor.spawn({
            let event = event.clone();
            tracked(move |cx| event.poll(cx).map(|()| Track::new(7_usize)))
        });
        let other = executor.clone();
        let thread = thread::spawn(move || other.run());
        let mut polled = false;
        executor.block_on(poll_fn(move |cx| {
            if !mem::replace(&mut polled, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            assert!(poll_once(&mut handle, cx.waker()).is_pending());
            event.set();
            Poll::Ready(())
        }));
        thread.join().unwrap();
    });
}

/// A root is woken in its last poll, by another thread and by its own. Nothing of that is left for the next
/// `block_on`.
pub fn m32_a_wake_in_the_last_poll_is_over<E: BlockOn + Described>() {
    explore(E::NAME, "m32_a_wake_in_the_last_poll_is_over", 2, || {
        let executor = E::default();
        executor.block_on(poll_fn(|cx| {
            let waker = cx.waker().clone();
            thread::spawn(move || waker.wake()).join().unwrap();
            Poll::Ready(())
        }));
        executor.block_on(poll_fn(|cx| Poll::Ready(cx.waker().wake_by_ref())));
        wait_for_a_wake(&executor);
    });
}

/// Tasks that one thread makes ready are polled in that order, even if the right to drive passes to that thread in
/// between.
pub fn m33_order_across_a_hand_over<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m33_order_across_a_hand_over", 2, || {
        let executor = Arc::new(E::default());
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let slots = [Slot::default(), Slot::default()];
        for (index, slot) in slots.iter().enumerate() {
            let (slot, order, mut polls) = (slot.clone(), order.clone(), 0);
            drop(executor.spawn(tracked(move |cx| {
                polls += 1;
                if polls == 1 {
                    slot.keep(cx);
                    return Poll::Pending;
                }
                order.lock().unwrap().push(index);
                Poll::Ready(())
            })));
        }
        executor.block_on(yield_now());
        let [mut first, mut second] = slots.map(|slot| Some(slot.take()));
        let other = executor.clone();
        let driver = thread::spawn(move || other.block_on(yield_now()));
        let mut waking = None;
        executor.block_on(poll_fn(|cx| {
            if let Some(waker) = first.take() {
                waker.wake();
                let waker = cx.waker().clone();
                waking = Some(thread::spawn(move || waker.wake()));
                return Poll::Pending;
            }
            second.take().into_iter().for_each(Waker::wake);
            Poll::Ready(())
        }));
        executor.run();
        assert_eq!(*order.lock().unwrap(), [0, 1], "the order of the polls");
        driver.join().unwrap();
        waking.into_iter().for_each(|waking| waking.join().unwrap());
    });
}

/// A task calls `block_on` of another executor, while another thread wakes the task by reference and by value: no wake
/// is lost.
pub fn m34_wakes_race_a_nested_block_on<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m34_wakes_race_a_nested_block_on", 2, || {
        let executor = E::default();
        let (flag, waker) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let handle = executor.spawn({
            let (inner, flag, waker) = (E::default(), flag.clone(), waker.clone());
            tracked(move |cx| {
                waker.keep(cx);
                inner.block_on(yield_now());
                ready_if(flag.load(Relaxed))
            })
        });
        let thread = executor.block_on(async {
            yield_now().await;
            let waker = waker.take();
            let thread = thread::spawn(move || {
                waker.wake_by_ref();
                flag.store(true, Relaxed);
                waker.wake();
            });
            handle.await.unwrap();
            thread
        });
        thread.join().unwrap();
    });
}

/// A task is aborted, woken and detached inside the `block_on` of another executor, while another thread wakes it: its
/// future is dropped by its own executor, and it is freed once.
pub fn m35_an_abort_from_a_nested_block_on<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m35_an_abort_from_a_nested_block_on", 2, || {
        let (executor, inner) = (E::default(), E::default());
        let waker = Slot::default();
        let handle: E::JoinHandle<()> = executor.spawn(never(&waker));
        let thread = executor.block_on(async {
            yield_now().await;
            let here = waker.take();
            let there = here.clone();
            let thread = thread::spawn(move || there.wake());
            inner.block_on(async move {
                yield_now().await;
                handle.abort();
                drop(here.clone());
                here.wake();
            });
            thread
        });
        executor.run();
        thread.join().unwrap();
    });
}

/// A task that another thread has just spawned, and that the executor may not have seen yet, is aborted by the thread
/// that drives.
pub fn m36_a_new_task_is_aborted_at_home<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m36_a_new_task_is_aborted_at_home", 2, || {
        let executor = E::default();
        let spawner = executor.spawner();
        let spawned = Arc::new(sync::Mutex::new(None));
        let mut spawning = None;
        executor.block_on(poll_fn(|cx| {
            if spawning.is_none() {
                let (spawner, spawned, waker) = (spawner.clone(), spawned.clone(), cx.waker().clone());
                spawning = Some(thread::spawn(move || {
                    let handle: <E::Spawner as Spawn>::JoinHandle<()> = spawner.spawn(tracked(|_| Poll::Pending));
                    *spawned.lock().unwrap() = Some(handle);
                    waker.wake();
                }));
            }
            let handle = spawned.lock().unwrap().take();
            ready_if(handle.inspect(JoinHandle::abort).is_some())
        }));
        executor.run();
        spawning.into_iter().for_each(|spawning| spawning.join().unwrap());
    });
}

/// As [`m27_an_abort_beside_a_wake_under_way`], but the drop of the future must see what was done before the abort.
pub fn m37_an_abort_publishes_what_came_before<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m37_an_abort_publishes_what_came_before", 2, || {
        let executor = E::default();
        let (waker, before) = (Slot::default(), Arc::new(AtomicBool::new(false)));
        let handle: E::JoinHandle<()> = executor.spawn({
            let (waker, before) = (waker.clone(), before.clone());
            let guard =
                OnDrop(move || assert!(before.load(Relaxed), "the drop does not see what came before the abort"));
            tracked(move |cx| {
                let _ = &guard;
                waker.keep(cx);
                Poll::Pending
            })
        });
        let (waking, aborting) = executor.block_on(async {
            yield_now().await;
            let here = waker.take();
            let there = here.clone();
            let waking = thread::spawn(move || there.wake());
            let aborting = thread::spawn(move || {
                before.store(true, Relaxed);
                handle.abort();
                handle
            });
            here.wake();
            yield_now().await;
            (waking, aborting)
        });
        waking.join().unwrap();
        drop(aborting.join().unwrap());
        executor.run();
    });
}

/// A task is aborted by the thread that drives, while another clones, wakes and drops a waker of it: neither the abort
/// nor a reference is lost.
pub fn m38_an_abort_at_home_races_a_waker<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m38_an_abort_at_home_races_a_waker", 2, || {
        let executor = E::default();
        let waker = Slot::default();
        let handle: E::JoinHandle<()> = executor.spawn(never(&waker));
        let thread = executor.block_on(async {
            yield_now().await;
            let waker = waker.take();
            let thread = thread::spawn(move || {
                let clone = waker.clone();
                drop(waker);
                clone.wake();
            });
            handle.abort();
            assert!(matches!(handle.await, Err(JoinError::Cancelled)));
            thread
        });
        thread.join().unwrap();
    });
}

/// A task has ended and been joined by another thread, and the thread that drove it sleeps: the task's memory does not
/// wait for the next wake.
pub fn m39_what_has_ended_is_freed_before_the_sleep<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m39_what_has_ended_is_freed_before_the_sleep", 2, || {
        let executor = E::default();
        // The first call leaves the thread's own waker.
        executor.block_on(yield_now());
        let before = Alive::count();
        let handle: E::JoinHandle<()> = executor.spawn(tracked(|_| Poll::Ready(())));
        let mut handle = Some(handle);
        let mut waiting = None;
        executor.block_on(poll_fn(|cx| {
            let Some(handle) = handle.take() else { return Poll::Ready(()) };
            let waker = cx.waker().clone();
            waiting = Some(thread::spawn(move || {
                wait(handle).unwrap();
                // Nobody else wakes the driver: it goes to sleep, and must have freed the task by then.
                while Alive::count() != before {
                    thread::yield_now();
                }
                waker.wake();
            }));
            Poll::Pending
        }));
        waiting.into_iter().for_each(|waiting| waiting.join().unwrap());
    });
}

/// The abort handle is all that is left of the handles, and may be the task's last reference.
pub fn m40_an_abort_handle_races_completion<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m40_an_abort_handle_races_completion", 2, || {
        // The thread that drops it last must see that nobody drives any more: by an order that loom knows of.
        let executor = sync::Arc::new(E::default());
        let handle = executor.spawn(tracked(|_| Poll::Ready(Track::new(7))));
        let abort = handle.abort_handle();
        drop(handle);
        let (driver, other) = (executor.clone(), abort.clone());
        let thread = thread::spawn(move || {
            driver.block_on(yield_now());
            assert!(other.is_finished());
        });
        abort.abort();
        drop((abort, executor));
        thread.join().unwrap();
    });
}

/// A root wakes a task in its only poll and is ready, while another thread comes to drive: one of the two polls the
/// task, and the right to drive is passed on.
pub fn m41_a_first_poll_races_another_driver<E: RemoteSpawn + Described + 'static>() {
    explore(E::NAME, "m41_a_first_poll_races_another_driver", 2, || {
        let executor = Arc::new(E::default());
        let event = Event::new();
        let handle = executor.spawn({
            let event = event.clone();
            tracked(move |cx| event.poll(cx))
        });
        executor.block_on(yield_now());
        let other = executor.clone();
        let thread = thread::spawn(move || other.run());
        executor.block_on(poll_fn(|_| Poll::Ready(event.set())));
        thread.join().unwrap();
        assert!(handle.is_finished(), "`run` has returned before the task had ended");
    });
}

/// A root spawns a task in its first poll and waits for it, while another thread wakes the task as soon as it can.
pub fn m42_a_spawn_in_the_first_poll_races_a_wake<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m42_a_spawn_in_the_first_poll_races_a_wake", 2, || {
        let executor = E::default();
        let event = Event::new();
        let setting = thread::spawn({
            let event = event.clone();
            move || event.set()
        });
        executor.block_on(async {
            let task = executor.spawn({
                let event = event.clone();
                tracked(move |cx| event.poll(cx).map(|()| Track::new(7)))
            });
            task.await.unwrap();
        });
        setting.join().unwrap();
    });
}

/// Waits in a `block_on` for another thread, and for no wake but that thread's.
fn wait_for_a_wake<E: BlockOn + Described>(executor: &E) {
    let flag = Arc::new(AtomicBool::new(false));
    let mut waking = None;
    executor.block_on(poll_fn(|cx| {
        if waking.is_none() {
            let (flag, waker) = (flag.clone(), cx.waker().clone());
            waking = Some(thread::spawn(move || {
                flag.store(true, Relaxed);
                waker.wake();
            }));
            return Poll::Pending;
        }
        let woken = flag.load(Relaxed);
        assert!(woken || !E::CAPABILITIES.polls_only_woken, "the waker of another `block_on` woke this one");
        ready_if(woken)
    }));
    waking.into_iter().for_each(|waking| waking.join().unwrap());
}

/// Another thread wakes a task and then spawns one, while the `block_on` that drives ends: they are polled in that
/// order, on either thread.
pub fn m43_a_spawn_races_the_end_of_a_block_on<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m43_a_spawn_races_the_end_of_a_block_on", 2, || {
        let executor = E::default();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (flag, waker) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let (theirs, mut old) = (order.clone(), ready_once(&flag, &waker));
        drop(executor.spawn(async move {
            poll_fn(|cx| poll_once(&mut old, cx.waker())).await;
            theirs.lock().unwrap().push("old");
        }));
        executor.block_on(yield_now());
        let (spawner, waker, theirs) = (executor.spawner(), waker.take(), order.clone());
        let spawning = thread::spawn(move || {
            flag.store(true, Relaxed);
            waker.wake();
            drop(spawner.spawn(tracked(move |_| {
                theirs.lock().unwrap().push("new");
                Poll::Ready(())
            })));
        });
        executor.block_on(yield_now());
        spawning.join().unwrap();
        executor.run();
        assert_eq!(*order.lock().unwrap(), ["old", "new"], "the order of the polls");
    });
}

/// Another thread spawns a task while the driver sees the first one: neither is overlooked.
pub fn m44_a_spawn_races_the_first_look_at_another<E: RemoteSpawn + Described>() {
    explore(E::NAME, "m44_a_spawn_races_the_first_look_at_another", 2, || {
        let executor = E::default();
        let ended = Arc::new(std::sync::Mutex::new(0));
        let task = || {
            let ended = ended.clone();
            tracked(move |_| {
                *ended.lock().unwrap() += 1;
                Poll::Ready(())
            })
        };
        drop(executor.spawn(task()));
        let (spawner, second) = (executor.spawner(), task());
        let spawning = thread::spawn(move || drop(spawner.spawn(second)));
        executor.run();
        spawning.join().unwrap();
        executor.run();
        assert_eq!(*ended.lock().unwrap(), 2, "tasks that have ended");
    });
}

/// Leaves its waker, and is ready when `flag` is seen.
fn ready_once(flag: &Arc<AtomicBool>, waker: &Slot) -> impl Future<Output = ()> + Send + use<> {
    let (flag, waker) = (flag.clone(), waker.clone());
    tracked(move |cx| {
        waker.keep(cx);
        ready_if(flag.load(Relaxed))
    })
}

/// Leaves its waker, and is never ready.
fn never(waker: &Slot) -> impl Future<Output = ()> + Send + use<> {
    let waker = waker.clone();
    tracked(move |cx| {
        waker.keep(cx);
        Poll::Pending
    })
}

fn ready_if(ready: bool) -> Poll<()> {
    if ready { Poll::Ready(()) } else { Poll::Pending }
}
