//! Passwords in URLs, which are not for logs and screens.

/// What stands in place of a password.
const HIDDEN: &str = "***";

/// A text as it may be shown. It need not be a valid URL: what looks at all as if it could hold a password is hidden, because it is
/// shown above all when it is wrong.
pub fn hide(text: &str) -> String {
    hide_parameter(&hide_user(text))
}

/// `redis://user:password@host` as `redis://user:***@host`.
fn hide_user(text: &str) -> String {
    let Some((before, host)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let start = before.find("://").map(|at| at + 3);
    let Some(start) = start.or_else(|| before.find(':').map(|at| at + 1)) else {
        return text.to_owned();
    };
    let password = before[start..].find(':').map_or(start, |at| start + at + 1);
    format!("{}{HIDDEN}@{host}", &before[..password])
}

/// `unix:/socket?pass=password&db=1` as `unix:/socket?pass=***&db=1`.
fn hide_parameter(text: &str) -> String {
    let Some((before, password)) = text.split_once("pass=") else {
        return text.to_owned();
    };
    let rest = password.find('&').map_or("", |end| &password[end..]);
    format!("{before}pass={HIDDEN}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_even_in_what_is_no_url() {
        for (text, shown) in [
            ("redis://user:secret@host:1/2", "redis://user:***@host:1/2"),
            ("redis://:secret@host", "redis://:***@host"),
            ("redis://secret@host", "redis://***@host"),
            ("redis://u:sec:ret/@x@host", "redis://u:***@host"),
            ("redis:/u:secret@host", "redis:/u:***@host"),
            ("redis:secret@host", "redis:***@host"),
            (
                "unix:/run/redis?pass=secret&db=1",
                "unix:/run/redis?pass=***&db=1",
            ),
            (
                "unix:/run/redis?db=1&pass=secret",
                "unix:/run/redis?db=1&pass=***",
            ),
        ] {
            assert_eq!(hide(text), shown, "{text}");
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "redis://host:6379/0",
            "somebody@example.org",
            "",
            "127.0.0.1:8182",
        ] {
            assert_eq!(hide(text), text);
        }
    }
}
