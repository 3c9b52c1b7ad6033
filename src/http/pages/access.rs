//! The pages on which visitors show who they are: forms that work without a script, and last pages that close their window.

use std::fmt::{self, Display};

use super::escaped::Escaped;

/// What these pages may load and do. No page of another site may show them in a frame, where people would not see what they click on.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A text, with its language if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub language: Option<&'a str>,
    pub text: &'a str,
}

/// What the page of a form says.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    pub heading: Said<'a>,
    pub note: Option<Said<'a>>,
    /// On the button.
    pub confirm: Said<'a>,
    /// What was wrong with the last attempt.
    pub trouble: Option<&'a str>,
    /// That the form was sent from this page.
    pub proof: &'a str,
    pub asks_for_password: bool,
}

impl<'a> Said<'a> {
    /// By the server itself.
    pub fn english(text: &'a str) -> Self {
        let language = Some("en");
        Self { language, text }
    }
}

/// Within an element.
impl Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Escaped(self.text);
        match self.language {
            Some("en") => write!(f, "{text}"),
            Some(language) => write!(f, "<span lang=\"{}\">{text}</span>", Escaped(language)),
            None => write!(f, "<span lang=\"\">{text}</span>"),
        }
    }
}

/// A form, at an address two levels deep.
pub fn form(form: &Form<'_>) -> String {
    let note = form.note.map(|note| format!("<p>{note}</p>\n"));
    let trouble = form.trouble.map(Escaped);
    let trouble = trouble.map(|it| format!("<p class=\"trouble\" role=\"alert\">{it}</p>\n"));
    let fields = if form.asks_for_password { FIELDS } else { "" };
    let body = format!(
        "<h1>{}</h1>\n{}{}<form method=\"post\">\n<input type=\"hidden\" name=\"proof\" value=\"{}\">\n{fields}<button>{}</button>\n</form>\n",
        form.heading,
        note.unwrap_or_default(),
        trouble.unwrap_or_default(),
        Escaped(form.proof),
        form.confirm,
    );
    page(form.heading.text, "", &body)
}

const FIELDS: &str = r#"<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
"#;

/// A09: the last page, which closes its window.
pub fn last(heading: &str) -> String {
    let body = format!(
        "<h1>{}</h1>\n<p role=\"status\">You can close this window now, and go back to the viewer.</p>\n",
        Escaped(heading)
    );
    let script = "<script src=\"../../assets/close.js\" defer></script>\n";
    page(heading, script, &body)
}

/// Why it does not go on.
pub fn trouble(heading: Said<'_>, note: Option<Said<'_>>) -> String {
    let note = note.map(|note| format!("<p>{note}</p>\n"));
    let body = format!("<h1>{heading}</h1>\n{}", note.unwrap_or_default());
    page(heading.text, "", &body)
}

fn page(title: &str, head: &str, body: &str) -> String {
    let title = Escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"../../assets/icon.svg\" type=\"image/svg+xml\">\n\
         <link rel=\"stylesheet\" href=\"../../assets/azulejo.css\">\n{head}</head>\n\
         <body class=\"access\">\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// What gives a message to the page that has this one in a frame. It is the same in every answer: what it says stands in attributes, so that
/// no message can become a script.
pub const MESSENGER: &str = "const { message, origin } = document.body.dataset; window.parent.postMessage(JSON.parse(message), origin);";

/// A12: a page that gives `message`, which is JSON, to the page around it, if that is of `origin`. Without one, nobody is told anything.
pub fn message(message: &str, origin: Option<&str>) -> String {
    let head = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Token</title>\n</head>\n";
    let body = match origin {
        Some(origin) => format!(
            "<body data-message=\"{}\" data-origin=\"{}\">\n<p>This page is for viewers.</p>\n<script>{MESSENGER}</script>\n",
            Escaped(message),
            Escaped(origin)
        ),
        None => {
            "<body>\n<p>This page is for viewers, which say where they are from.</p>\n".to_owned()
        }
    };
    format!("{head}{body}</body>\n</html>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_has_its_language_and_is_no_markup() {
        let said = |language, text| Said { language, text }.to_string();
        assert_eq!(said(Some("en"), "a<b"), "a&lt;b");
        assert_eq!(said(Some("de"), "a"), "<span lang=\"de\">a</span>");
        assert_eq!(said(None, "\"&"), "<span lang=\"\">&quot;&amp;</span>");
        assert!(last("<b>").contains("<title>&lt;b&gt;</title>"));
    }

    #[test]
    fn a15_a_message_stays_in_its_attribute() {
        let hostile = r#"{"messageId":"</script><script>alert(1)</script>\" onload='x'"}"#;
        let page = message(hostile, Some("https://a.example"));
        assert_eq!(page.matches("<script>").count(), 1);
        assert_eq!(page.matches("</script>").count(), 1);
        let attribute = page.split("data-message=\"").nth(1).unwrap();
        let (attribute, rest) = attribute.split_once('"').unwrap();
        assert!(!attribute.contains(['<', '>', '\'']));
        assert!(rest.starts_with(" data-origin=\"https://a.example\">"));
    }

    #[test]
    fn every_asset_of_these_pages_exists() {
        for name in last("x").split("../../assets/").skip(1) {
            let name = name.split('"').next().unwrap();
            assert!(super::super::asset(name).is_some(), "{name}");
        }
    }
}
