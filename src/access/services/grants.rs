//! What visitors may see by what services gave them, as far as the settings of today still give it.

use std::collections::BTreeSet;

use super::{Means, Profile, ServiceConfig, Services};
use crate::access::session::{Given, Grant, Session, Time};

impl Services {
    /// Of all services together. Whoever was taken from the configuration has nothing from that moment on, and so it is with services.
    pub fn roles_of(&self, session: &Session, now: Time) -> BTreeSet<String> {
        let grants = session.grants.iter();
        let roles = grants.filter_map(|(service, grant)| self.roles_by(service, grant, now));
        roles.flatten().collect()
    }

    /// By one service. `None` if it is over, or would not be given any more.
    pub fn roles_by(&self, service: &str, grant: &Grant, now: Time) -> Option<BTreeSet<String>> {
        let service = self.get(service).filter(|_| grant.ends > now)?;
        let mut roles = match (&grant.given, service.asks_for()) {
            (Given::Nobody, None) => BTreeSet::new(),
            (Given::User { name }, Some(Means::Login)) => self.users.roles_of(name)?,
            (Given::Person { roles, .. }, Some(Means::Oidc)) => roles.clone(),
            _ => return None,
        };
        roles.extend(service.roles.iter().cloned());
        Some(roles)
    }
}

impl ServiceConfig {
    /// By what people say who they are, if they have to.
    fn asks_for(&self) -> Option<Means> {
        let means = Some(self.means).filter(|means| *means != Means::Click);
        means.filter(|_| self.profile == Profile::Active)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::config::AccessConfig;
    use crate::config::secret_hash::SecretHash;

    fn services(toml: &str) -> Services {
        let hash = serde_json::to_string(&SecretHash::of(b"x").unwrap()).unwrap();
        let toml = toml.replace("HASH", &hash);
        let config: AccessConfig = toml::from_str(&toml).unwrap();
        Services::new(&config, None).unwrap().unwrap()
    }

    fn roles(toml: &str, given: Given) -> Option<Vec<String>> {
        let grant = Grant { given, ends: 2 };
        let services = services(toml);
        assert_eq!(services.roles_by("a", &grant, 2), None, "it is over");
        let roles = services.roles_by("a", &grant, 1);
        roles.map(|roles| roles.into_iter().collect())
    }

    fn ann() -> Given {
        let name = "ann".to_owned();
        Given::User { name }
    }

    fn person() -> Given {
        Given::Person {
            subject: Some("ann".to_owned()),
            roles: ["given".to_owned()].into(),
        }
    }

    #[test]
    fn the_settings_of_today_count() {
        let user = "[users.ann]\npassword_hash = HASH\nroles = ['staff']\n";
        let login = "[services.a]\nroles = ['reader']\n";
        let roles = |toml: &[&str], given| roles(&toml.concat(), given);
        let both = Some(vec!["reader".to_owned(), "staff".to_owned()]);
        assert_eq!(roles(&[user, login], ann()), both);
        assert_eq!(roles(&[login], ann()), None, "no such user any more");
        let other = "[services.b]\nmeans = 'click'\n";
        assert_eq!(roles(&[user, other], ann()), None, "no such service");
        let click = "[services.a]\nmeans = 'click'\nroles = ['reader']\n";
        let reader = Some(vec!["reader".to_owned()]);
        assert_eq!(roles(&[click], Given::Nobody), reader);
    }

    /// Who the provider calls by the name of a user is not that user.
    #[test]
    fn what_was_shown_to_one_means_is_nothing_to_another() {
        let user = "[users.ann]\npassword_hash = HASH\nroles = ['staff']\n";
        let login = format!("{user}[services.a]\n");
        let oidc = format!("{user}[services.a]\nmeans = 'oidc'\n");
        let click = format!("{user}[services.a]\nmeans = 'click'\n");
        assert_eq!(roles(&oidc, person()), Some(vec!["given".to_owned()]));
        for (toml, given) in [
            (&login, person()),
            (&login, Given::Nobody),
            (&oidc, ann()),
            (&oidc, Given::Nobody),
            (&click, ann()),
            (&click, person()),
        ] {
            assert_eq!(roles(toml, given.clone()), None, "{given:?}");
        }
    }
}
