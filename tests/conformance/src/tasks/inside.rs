//! What a task may do inside its own poll and drop.

use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use executor::{Described, Executor, JoinHandle, RemoteSpawn, Spawn};

use super::subject::{End, Slot, Subject, ends};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Log, assert_usable, case, settle};

/// What a task does to itself or to another task, inside its own poll or drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    WakeItself,
    DropItsLastWaker,
    DropItsHandle,
    AbortItself,
    WakeAnother,
    AbortAnother,
}

clause! {
    "T11" Contract
        "Inside its own poll and drop a task may wake and abort itself and others, and drop its wakers and its handle."
    guards "DataDog/glommio#379 and tokio-rs/tokio#8391: a task that was freed, or locked, during its own poll."
    pub fn t11_a_task_may_touch_itself_in_poll_and_drop<E: Executor>() -> Outcome {
        use Deed::*;
        for deed in [WakeItself, DropItsLastWaker, DropItsHandle, AbortItself, WakeAnother, AbortAnother] {
            for in_drop in [false, true] {
                for end in ends::<E>() {
                    let place = if in_drop { "drop" } else { "poll" };
                    case(format_args!("{deed:?} in {place}, {end:?}"), || do_inside::<E>(deed, in_drop, end));
                }
            }
        }
        case("a future that owns its own handle", || {
            for end in ends::<E>().filter(|&end| end != End::Aborted) {
                let handle = Slot::<E>::default();
                let owned = handle.clone();
                let mut subject = Subject::<E>::acting(end, move |_| drop(owned.lock()), || {});
                *handle.lock().unwrap() = Some(subject.take_task());
                drop(handle);
                subject.settle();
                subject.end();
                subject.assert_ended();
            }
        });
        Outcome::Pass
    }
}

fn do_inside<E: Executor + Described + 'static>(deed: Deed, in_drop: bool, end: End) {
    // The subject's log and handle exist only once it is spawned.
    let me = Arc::new(Mutex::new(None::<(Arc<Log>, Slot<E>)>));
    let other = Log::new();
    let other_task = Arc::new(Mutex::new(None::<E::JoinHandle<()>>));
    let act = {
        let (me, other, other_task) = (me.clone(), other.clone(), other_task.clone());
        move |cx: Option<&mut Context<'_>>| {
            let Some((log, slot)) = me.lock().unwrap().clone() else { return };
            match deed {
                Deed::WakeItself => log.take_waker().into_iter().for_each(|waker| {
                    waker.wake_by_ref();
                    waker.wake();
                }),
                Deed::DropItsLastWaker => {
                    if let Some(cx) = cx {
                        // Queued, so that it can end: no other waker is left.
                        cx.waker().wake_by_ref();
                        drop(cx.waker().clone());
                    }
                    log.forget_waker();
                }
                Deed::DropItsHandle => {
                    let task = slot.lock().unwrap().take();
                    drop(task);
                }
                Deed::AbortItself => {
                    let task = slot.lock().unwrap().take();
                    if let Some(task) = task {
                        task.abort();
                        *slot.lock().unwrap() = Some(task);
                    }
                }
                Deed::WakeAnother => other.waker().wake(),
                Deed::AbortAnother => {
                    let task = other_task.lock().unwrap().take();
                    task.iter().for_each(JoinHandle::abort);
                }
            }
        }
    };
    let (in_poll, act_in_drop) = (act.clone(), act);
    let mut subject = Subject::<E>::acting(
        end,
        move |cx| {
            if !in_drop {
                in_poll(Some(cx))
            }
        },
        move || {
            if in_drop {
                act_in_drop(None)
            }
        },
    );
    *other_task.lock().unwrap() = Some(subject.executor().spawn(other.pending()));
    subject.settle();
    *me.lock().unwrap() = Some((subject.log.clone(), subject.slot.clone()));
    if let Some(waker) = subject.log.take_waker() {
        waker.wake();
    }
    subject.settle();
    subject.end();
    if let Some(executor) = &subject.executor {
        settle(executor);
        assert_usable(executor);
    }
    // If the deed kept the task from ending as planned, the executor's drop ends it.
    subject.executor = None;
    subject.assert_ended();
    other.assert_sound();
    assert_eq!(other.drops(), 1, "drops of the other future");
    let cycle = me.lock().unwrap().take();
    drop(cycle);
}

clause! {
    "T11s" Contract
        "Inside its own poll and drop a task may spawn; what it spawns during the executor's drop is dropped at once."
    guards "rust-lang/futures-rs#1737 and tokio's `SpawnOnDrop`."
    pub fn t11s_a_task_may_spawn_in_poll_and_drop<E: RemoteSpawn>() -> Outcome {
        for end in ends::<E>() {
            for in_drop in [false, true] {
                case(format_args!("{end:?}, in {}", if in_drop { "drop" } else { "poll" }), || {
                    spawn_inside::<E>(end, in_drop);
                });
            }
        }
        Outcome::Pass
    }
}

fn spawn_inside<E: RemoteSpawn + Described + 'static>(end: End, in_drop: bool) {
    // The subject's executor, and so its spawner, exists only once the subject is made.
    let spawner = Arc::new(Mutex::new(None::<E::Spawner>));
    let (child, at_once) = (Log::new(), Arc::new(AtomicUsize::new(0)));
    let spawn = {
        let (spawner, child, at_once) = (spawner.clone(), child.clone(), at_once.clone());
        move || {
            let spawner = spawner.lock().unwrap().take();
            if let Some(spawner) = spawner {
                drop(spawner.spawn(child.future(|poll, cx| {
                    cx.waker().wake_by_ref();
                    if poll < 3 { Poll::Pending } else { Poll::Ready(()) }
                })));
                at_once.store(child.drops(), SeqCst);
            }
        }
    };
    let (in_poll, act_in_drop) = (spawn.clone(), spawn);
    let mut subject = Subject::<E>::acting(
        end,
        move |_| {
            if !in_drop {
                in_poll()
            }
        },
        move || {
            if in_drop {
                act_in_drop()
            }
        },
    );
    *spawner.lock().unwrap() = Some(subject.executor().spawner());
    subject.settle();
    subject.end();
    subject.assert_ended();
    if in_drop && end == End::ExecutorDropped {
        assert_eq!((child.polls(), child.drops()), (0, 1), "polls and drops of what was spawned too late");
        assert_eq!(at_once.load(SeqCst), 1, "drops of what was spawned too late, when `spawn` returned");
    } else {
        assert_eq!((child.polls(), child.drops()), (3, 1), "polls and drops of what was spawned");
    }
    child.assert_sound();
    if let Some(executor) = &subject.executor {
        assert_usable(executor);
    }
}
