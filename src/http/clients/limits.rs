//! What each client, and each network of clients, may ask for.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use super::config::ClientsConfig;
use crate::budget::{Budget, per_minute, per_second};
use crate::error::Error;
use crate::http::app::App;
use crate::http::image::Client;
use crate::http::{accept, error};
use crate::pipeline::{Caching, Prepared, Toll};

/// Those of all clients.
#[derive(Clone)]
pub struct Limits(Arc<Budgets>);

struct Budgets {
    config: ClientsConfig,
    requests: Option<Budget<IpNet>>,
    of_networks: Option<Budget<IpNet>>,
    large: Option<Budget<IpNet>>,
}

impl Limits {
    pub fn new(config: &ClientsConfig) -> Self {
        let requests = config.requests_per_second;
        let of_networks = config.network_requests_per_second;
        let large = config.large_per_minute;
        Self(Arc::new(Budgets {
            requests: requests.map(|rate| Budget::new(per_second(rate, config.burst))),
            of_networks: of_networks
                .map(|rate| Budget::new(per_second(rate, config.network_burst))),
            large: large.map(|rate| Budget::new(per_minute(rate))),
            config: config.clone(),
        }))
    }

    fn take_request(&self, client: IpAddr) -> Result<(), Error> {
        let Budgets {
            requests,
            of_networks,
            ..
        } = &*self.0;
        if self.is_exempt(client) {
            return Ok(());
        }
        take(requests.as_ref(), household(client))?;
        take(of_networks.as_ref(), network(client))
    }

    fn take_large(&self, client: IpAddr) -> Result<(), Error> {
        match self.is_exempt(client) {
            true => Ok(()),
            false => take(self.0.large.as_ref(), household(client)),
        }
    }

    /// Whose share of what all have it is, unless that has no limit.
    fn sharer(&self, client: IpAddr) -> Option<IpNet> {
        (!self.is_exempt(client)).then(|| household(client))
    }

    fn is_exempt(&self, client: IpAddr) -> bool {
        let mut networks = self.0.config.exempt.iter();
        networks.any(|network| network.contains(&client))
    }

    /// What the client is asked before an image is made that is large, if there is a limit on those.
    pub fn toll(&self, client: &Client<'_>, app: &App, prepared: &Prepared) -> Option<Toll> {
        self.0.large.as_ref()?;
        let is_large = prepared.plan.size.area() >= self.0.config.large_pixels;
        // Who may go around the cache may do that.
        if !is_large || client.caching != Caching::Use {
            return None;
        }
        let address = super::address::address(app.server(), client.peer, client.headers)?;
        let limits = self.clone();
        Some(Toll::new(move || limits.take_large(address)))
    }
}

fn take(budget: Option<&Budget<IpNet>>, client: IpNet) -> Result<(), Error> {
    let taken = budget.map_or(Ok(()), |budget| budget.take(client));
    taken.map_err(Error::TooManyRequests)
}

/// One client: an address of IPv4, or a network of IPv6 of which a household has all addresses.
fn household(address: IpAddr) -> IpNet {
    around(address, 32, 64)
}

/// The clients of one site.
fn network(address: IpAddr) -> IpNet {
    around(address, 24, 48)
}

fn around(address: IpAddr, of_v4: u8, of_v6: u8) -> IpNet {
    let length = if address.is_ipv4() { of_v4 } else { of_v6 };
    let net = IpNet::new(address, length).expect("no longer than an address");
    net.trunc()
}

/// Who asks too often is answered so before anything is looked for, and who does not read when there is an answer. Those who watch
/// the server are never refused; what takes a token is not looked at here.
pub async fn limit(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/health/") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let client = Client::new(&app, &parts);
    let address = super::address::address(app.server(), client.peer, client.headers);
    let headers = accept::only(&parts.headers);
    if let Err(refused) = address.map_or(Ok(()), |address| app.limits().take_request(address)) {
        return error::respond(&refused, &headers);
    }
    let is_sent = parts.method != Method::HEAD;
    let answer = next.run(Request::from_parts(parts, body)).await;
    if !is_sent {
        return answer;
    }
    let client = address.and_then(|address| app.limits().sharer(address));
    let held = app.unread().hold(client, answer).await;
    held.unwrap_or_else(|refused| error::respond(&refused, &headers))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn limits(change: impl FnOnce(&mut ClientsConfig)) -> Limits {
        let mut config = ClientsConfig::default();
        change(&mut config);
        Limits::new(&config)
    }

    /// How many of so many requests are answered, each from the next of these addresses.
    fn answered(limits: &Limits, addresses: &[&str], count: usize) -> usize {
        let addresses = addresses.iter().cycle().take(count);
        let taken = addresses.map(|address| limits.take_request(ip(address)));
        taken.filter(Result::is_ok).count()
    }

    #[test]
    fn a_household_of_ipv6_is_one_client_and_an_address_of_ipv4_is() {
        let limits = limits(|config| {
            config.requests_per_second = NonZeroU32::new(1);
            config.burst = NonZeroU32::new(3).unwrap();
        });
        assert_eq!(answered(&limits, &["192.0.2.1"], 9), 3);
        assert_eq!(answered(&limits, &["192.0.2.2"], 9), 3);
        assert_eq!(answered(&limits, &["2001:db8::1", "2001:db8::2"], 9), 3);
        assert_eq!(answered(&limits, &["2001:db8:0:1::1"], 9), 3);
    }

    #[test]
    fn a_network_has_a_budget_of_its_own() {
        let limits = limits(|config| {
            config.network_requests_per_second = NonZeroU32::new(1);
            config.network_burst = NonZeroU32::new(4).unwrap();
        });
        assert_eq!(answered(&limits, &["192.0.2.1", "192.0.2.77"], 9), 4);
        assert_eq!(answered(&limits, &["192.0.3.1"], 9), 4);
        let addresses = ["2001:db8:1:1::1", "2001:db8:1:2::1"];
        assert_eq!(answered(&limits, &addresses, 9), 4);
    }

    #[test]
    fn some_are_exempt_and_without_a_limit_all_are() {
        let limited = limits(|config| {
            config.requests_per_second = NonZeroU32::new(1);
            config.burst = NonZeroU32::MIN;
            config.exempt = vec!["10.0.0.0/8".parse().unwrap()];
        });
        assert_eq!(answered(&limited, &["10.1.2.3"], 50), 50);
        assert_eq!(answered(&limited, &["192.0.2.1"], 50), 1);
        assert_eq!(answered(&limits(|_| {}), &["192.0.2.1"], 5_000), 5_000);
    }
}
