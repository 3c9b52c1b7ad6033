//! Pieces of work on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::Error;

/// Does something with each of the pieces on up to so many threads, each with something of its own. The results are in the order of the pieces.
///
/// # Errors
/// One of those that occurred.
pub fn in_parallel<T: Sync, S, R: Send>(
    pieces: &[T],
    threads: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let threads = threads.min(pieces.len());
    if threads <= 1 {
        let mut own = start();
        return pieces.iter().map(|piece| work(&mut own, piece)).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(pieces.len()));
    let worker = || {
        let (mut own, mut results) = (start(), Vec::new());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(index) else {
                break;
            };
            results.push((index, work(&mut own, piece)));
        }
        done.lock()
            .expect("no worker panics while it holds it")
            .append(&mut results);
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    let mut done = done
        .into_inner()
        .expect("no worker panics while it holds it");
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_pieces() {
        let pieces: Vec<u32> = (0..1000).collect();
        for threads in [1, 2, 7] {
            let doubled = in_parallel(&pieces, threads, || 2, |two, piece| Ok(piece * *two));
            let expected: Vec<u32> = pieces.iter().map(|piece| piece * 2).collect();
            assert_eq!(doubled, Ok(expected));
        }
    }

    #[test]
    fn an_error_is_not_lost() {
        for threads in [1, 3] {
            let failing = |(): &mut (), piece: &u32| {
                if *piece == 5 {
                    Err(Error("five"))
                } else {
                    Ok(())
                }
            };
            assert_eq!(
                in_parallel(&[1, 5, 2], threads, || (), failing),
                Err(Error("five"))
            );
        }
    }
}
