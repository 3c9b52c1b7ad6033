//! The index page: a grid of images, each with its thumbnail, its name and its links.

use std::fmt::{self, Display, Write};

use super::escaped::Escaped;

/// One image of the index. The links may be relative to `/`; all texts are plain, not yet escaped.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What a person calls it: the identifier, decoded.
    pub label: String,
    /// Its `info.json` of Image API 3.0.
    pub info: String,
    /// Its `info.json` of Image API 2.1.
    pub info_v2: String,
    /// Its manifest, or that of the document whose first page it is.
    pub manifest: String,
    pub thumbnail: String,
    /// Its deep-zoom page.
    pub view: String,
    /// A viewer elsewhere that opens this image, where one is configured.
    pub viewer: Option<String>,
}

/// A link to the index of another folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its name, or `..` for the folder above.
    pub label: String,
    pub link: String,
}

/// The page; `manifest` shows all images of the folder, `next` links to those after the last of these.
pub fn html(folders: &[Folder], entries: &[Entry], manifest: &str, next: Option<&str>) -> String {
    let mut page = String::from(HEAD);
    if !folders.is_empty() {
        page.push_str("<ul class=\"folders\" aria-label=\"Folders\">\n");
        for Folder { label, link } in folders {
            let (label, link) = (Escaped(label), Escaped(link));
            push(
                &mut page,
                format_args!("<li><a href=\"{link}\">{label}/</a></li>\n"),
            );
        }
        page.push_str("</ul>\n");
    }
    if entries.is_empty() {
        page.push_str("<p>There are no images here.</p>\n");
    } else {
        page.push_str("<ul class=\"images\">\n");
        for entry in entries {
            push(&mut page, Item(entry));
        }
        page.push_str("</ul>\n");
        push(
            &mut page,
            format_args!(
                "<p>All of them for a viewer: <a href=\"{}\">manifest</a></p>\n",
                Escaped(manifest)
            ),
        );
    }
    page.push_str("</main>\n");
    if let Some(next) = next {
        push(
            &mut page,
            format_args!(
                "<nav><a href=\"{}\" rel=\"next\">More images</a></nav>\n",
                Escaped(next)
            ),
        );
    }
    page.push_str("</body>\n</html>\n");
    page
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Azulejo</title>
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/azulejo.css">
<script type="module" src="assets/index.js"></script>
</head>
<body class="index">
<header>
<h1>Azulejo</h1>
<p>The images that this IIIF server offers. Open one to zoom in, or give its info.json to a viewer of your own.</p>
</header>
<main>
"#;

/// Writing to a `String` cannot fail.
fn push(page: &mut String, part: impl Display) {
    let _ = write!(page, "{part}");
}

struct Item<'a>(&'a Entry);

impl Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry {
            label,
            info,
            info_v2,
            manifest,
            thumbnail,
            view,
            viewer,
        } = self.0;
        let [label, info, info_v2, manifest, thumbnail, view] =
            [label, info, info_v2, manifest, thumbnail, view].map(|text| Escaped(text));
        writeln!(f, "<li>")?;
        // The link of the heading leads to the same page: one stop of the Tab key, and one announcement, is enough.
        writeln!(
            f,
            "<a class=\"thumbnail\" href=\"{view}\" tabindex=\"-1\"><img src=\"{thumbnail}\" alt=\"{label}\" loading=\"lazy\"></a>"
        )?;
        writeln!(f, "<h2><a href=\"{view}\">{label}</a></h2>")?;
        writeln!(f, "<p class=\"dimensions\"></p>")?;
        write!(
            f,
            "<p class=\"links\"><a href=\"{info}\" aria-label=\"info.json of {label}\">info.json</a>"
        )?;
        write!(
            f,
            " <a href=\"{info_v2}\" aria-label=\"info.json, version 2, of {label}\">v2</a>"
        )?;
        write!(
            f,
            " <a href=\"{manifest}\" aria-label=\"manifest of {label}\">manifest</a>"
        )?;
        if let Some(viewer) = viewer {
            let viewer = Escaped(viewer);
            write!(
                f,
                " <a href=\"{viewer}\" aria-label=\"{label} in another viewer\">other viewer</a>"
            )?;
        }
        writeln!(f, "</p>\n</li>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "presentation/3/manifest";

    fn entry(label: &str) -> Entry {
        Entry {
            label: label.into(),
            info: "iiif/3/a%2Fb.tif/info.json".into(),
            info_v2: "iiif/2/a%2Fb.tif/info.json".into(),
            manifest: "presentation/3/a%2Fb.tif/manifest".into(),
            thumbnail: "iiif/3/a%2Fb.tif/full/!200,200/0/default.jpg".into(),
            view: "view?id=a%2Fb.tif".into(),
            viewer: None,
        }
    }

    #[test]
    fn an_entry_shows_its_thumbnail_and_links() {
        let page = html(&[], &[entry("a/b.tif")], MANIFEST, None);
        assert!(page.contains(r#"<img src="iiif/3/a%2Fb.tif/full/!200,200/0/default.jpg" alt="a/b.tif" loading="lazy">"#));
        assert!(page.contains(r#"<h2><a href="view?id=a%2Fb.tif">a/b.tif</a></h2>"#));
        assert!(page.contains(
            r#"<a href="iiif/3/a%2Fb.tif/info.json" aria-label="info.json of a/b.tif">"#
        ));
        assert!(page.contains(
            r#"<a href="iiif/2/a%2Fb.tif/info.json" aria-label="info.json, version 2, of a/b.tif">"#
        ));
        assert!(page.contains(
            r#"<a href="presentation/3/a%2Fb.tif/manifest" aria-label="manifest of a/b.tif">"#
        ));
        assert!(page.contains(r#"<a href="presentation/3/manifest">manifest</a>"#));
        assert!(!page.contains("other viewer"));
        assert!(!page.contains("More images"));
    }

    #[test]
    fn another_viewer_and_the_next_page_are_linked_where_there_are_any() {
        let viewer = Some("https://viewer.example/?a=1&iiif=x".into());
        let page = html(
            &[],
            &[Entry {
                viewer,
                ..entry("a")
            }],
            MANIFEST,
            Some("/?after=a&b"),
        );
        assert!(page.contains(
            r#"<a href="https://viewer.example/?a=1&amp;iiif=x" aria-label="a in another viewer">"#
        ));
        assert!(page.contains(r#"<a href="/?after=a&amp;b" rel="next">More images</a>"#));
    }

    /// K01, K05: a file name cannot become markup.
    #[test]
    fn names_are_escaped() {
        let page = html(
            &[],
            &[entry(r#"<script>alert("it's")</script>&.tif"#)],
            MANIFEST,
            None,
        );
        let escaped = "&lt;script&gt;alert(&quot;it&#39;s&quot;)&lt;/script&gt;&amp;.tif";
        assert!(page.contains(&format!("alt=\"{escaped}\"")));
        assert!(page.contains(&format!(">{escaped}</a></h2>")));
        assert!(!page.contains("<script>"));
    }

    #[test]
    fn folders_are_links() {
        let folder = Folder {
            label: "a & b".into(),
            link: "?folder=a%20%26%20b".into(),
        };
        let page = html(&[folder], &[], MANIFEST, None);
        assert!(page.contains(r#"<li><a href="?folder=a%20%26%20b">a &amp; b/</a></li>"#));
    }

    #[test]
    fn an_empty_index_says_so() {
        assert!(html(&[], &[], MANIFEST, None).contains("There are no images here."));
    }
}
