//! Room for those whose passwords are looked at, or who wait for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::access::attempts::Network;

/// From everywhere.
const MOST: usize = 32;
/// From one network: it keeps nobody else out.
const MOST_FROM_ONE: usize = 4;

#[derive(Default)]
pub struct Waiting(Mutex<HashMap<Network, usize>>);

/// Until it is dropped.
pub struct Place {
    waiting: Arc<Waiting>,
    network: Network,
}

impl Waiting {
    /// `None` if there is no more room.
    pub fn place(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let network = Network::of(address);
        let mut places = self.places();
        let from_there = places.get(&network).copied().unwrap_or_default();
        if from_there >= MOST_FROM_ONE || places.values().sum::<usize>() >= MOST {
            return None;
        }
        places.insert(network, from_there + 1);
        let waiting = Arc::clone(self);
        Some(Place { waiting, network })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.waiting.places();
        if let Some(there) = places.get_mut(&self.network) {
            *there -= 1;
        }
        places.retain(|_, there| *there > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_does_not_take_all_of_it() {
        let waiting = Arc::<Waiting>::default();
        let place = |host| waiting.place(Some([192, 0, 2, host].into()));
        let greedy: Vec<_> = (0..10).map_while(|_| place(0)).collect();
        assert_eq!(greedy.len(), MOST_FROM_ONE);
        let others: Vec<_> = (1..=100).map_while(place).collect();
        assert_eq!(greedy.len() + others.len(), MOST);
        drop(greedy);
        assert!(place(0).is_some());
        drop(others);
        assert!(waiting.places().is_empty());
    }
}
