//! A library that is generic over the executor, called with one, with a reference and with counted ones.

use std::rc::Rc;
use std::sync::Arc;

use executor::{BlockOn, Executor, JoinError, RemoteSpawn, Spawn, yield_now};

/// Keeps what it spawns onto, whatever that is.
struct Pool<S> {
    spawner: S,
}

impl<S: Spawn> Pool<S> {
    fn double(&self, n: u32) -> S::JoinHandle<u32> {
        self.spawner.spawn(async move {
            yield_now().await;
            2 * n
        })
    }
}

fn double_on<E: Executor>(executor: E) -> Result<u32, JoinError> {
    let pool = Pool { spawner: &executor };
    let task = pool.double(21);
    executor.run();
    executor.block_on(task)
}

/// An executor that takes an argument: it has no `Default`, no name, and claims nothing.
struct Named<E>(E, #[expect(dead_code, reason = "what it is called is the caller's business")] String);

impl<E: BlockOn> BlockOn for Named<E> {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

fn works_through_pointers<E: Executor + Default>() {
    assert_eq!(double_on(E::default()).unwrap(), 42);
    let borrowed = &E::default();
    assert_eq!(double_on(borrowed).unwrap(), 42);
    assert_eq!(double_on(Box::new(E::default())).unwrap(), 42);
    assert_eq!(double_on(Rc::new(E::default())).unwrap(), 42);
    assert_eq!(double_on(Arc::new(E::default())).unwrap(), 42);
    assert_eq!(Named(borrowed, "mine".to_owned()).block_on(async { 42 }), 42);
}

/// Another thread needs no lifetime to spawn through an `Arc`.
fn works_between_threads<E: RemoteSpawn + Default + 'static>() {
    let executor = Arc::new(E::default());
    let pool = Pool { spawner: executor.clone() };
    let task = std::thread::spawn(move || pool.double(21)).join().expect("it only spawns");
    assert_eq!(executor.block_on(task).unwrap(), 42);
    let pool = Pool { spawner: executor.spawner() };
    assert_eq!(executor.block_on(pool.double(21)).unwrap(), 42);
}

macro_rules! call {
    (@ RemoteSpawn $executor:ty) => {
        works_through_pointers::<$executor>();
        works_between_threads::<$executor>();
    };
    (@ Executor $executor:ty) => {
        works_through_pointers::<$executor>();
    };
    (@ BlockOn $executor:ty) => {};
    ($($kind:ident $executor:ty,)*) => {
        $(call!(@ $kind $executor);)*
    };
}

#[test]
fn a_library_takes_an_executor_by_value_by_reference_and_counted() {
    lineup::for_each_executor!(call);
}
