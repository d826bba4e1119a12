//! A pointer to an executor is an executor: so generic code takes an executor by value, by reference or in an `Arc`.

use std::rc::Rc;
use std::sync::Arc;

use crate::{BlockOn, Executor, RemoteSpawn, Spawn};

macro_rules! pass_on {
    ($($pointer:ty,)*) => {
        $(
            impl<E: BlockOn + ?Sized> BlockOn for $pointer {
                fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
                    (**self).block_on(future)
                }
            }

            impl<E: Spawn + ?Sized> Spawn for $pointer {
                type JoinHandle<T: Send + 'static> = E::JoinHandle<T>;
                type AbortHandle = E::AbortHandle;

                fn spawn<F>(&self, future: F) -> Self::JoinHandle<F::Output>
                where
                    F: Future + Send + 'static,
                    F::Output: Send + 'static,
                {
                    (**self).spawn(future)
                }
            }

            impl<E: Executor + ?Sized> Executor for $pointer {
                fn run(&self) {
                    (**self).run();
                }

                fn tasks(&self) -> Option<usize> {
                    (**self).tasks()
                }
            }
        )*
    };
}

pass_on! {
    &E,
    Box<E>,
    Rc<E>,
    Arc<E>,
}

macro_rules! pass_on_between_threads {
    ($($pointer:ty,)*) => {
        $(
            impl<E: RemoteSpawn + ?Sized> RemoteSpawn for $pointer {
                type Spawner = E::Spawner;

                fn spawner(&self) -> E::Spawner {
                    (**self).spawner()
                }
            }
        )*
    };
}

pass_on_between_threads! {
    &E,
    Box<E>,
    Arc<E>,
}
