//! The whole server within the test: requests go through the real router, without a socket.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use azulejo::config::Config;
use azulejo::decode::{self, Limits, Window};
use azulejo::geometry::Rect;
use azulejo::http::{App, router};
use azulejo::pipeline::{Content, Derivative};
use azulejo::raster::{Layout, Samples};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// The host that every request names.
pub const HOST: &str = "images.example.org";

/// The number of both versions, as in the path.
pub const VERSIONS: [u8; 2] = [2, 3];

/// A server over one directory of images.
pub struct Server {
    app: App,
    router: Router,
}

impl Server {
    /// With the default configuration.
    pub fn over(root: impl AsRef<Path>) -> Self {
        Self::configured(root, |_| {})
    }

    /// Over the images of `fixtures/images`.
    pub fn of_fixtures() -> Self {
        Self::over(fixtures("images"))
    }

    /// With some settings changed.
    pub fn configured(root: impl AsRef<Path>, change: impl FnOnce(&mut Config)) -> Self {
        Self::of(App::new(&config(root, change)).unwrap())
    }

    /// The same with what is opened for it: the registry.
    pub async fn opened(root: impl AsRef<Path>, change: impl FnOnce(&mut Config)) -> Self {
        Self::of(App::open(&config(root, change)).await.unwrap())
    }

    fn of(app: App) -> Self {
        Self {
            router: router(app.clone()),
            app,
        }
    }

    /// Waits until the cache has written what it was given.
    pub async fn settle(&self) {
        self.app.settle().await;
    }

    /// The path begins with a slash and may have a query.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[]).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_body(method, path, headers, Body::empty()).await
    }

    /// An answer of whose body nothing is read yet.
    pub async fn begin(&self, path: &str) -> Response {
        self.respond(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn send_body(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let response = self.respond(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        Answer {
            path: path.to_owned(),
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    async fn respond(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::HOST, HOST);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| {
                request.header(*name, *value)
            })
            .body(body)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The pixels of an image that must be there, whatever its format.
    pub async fn picture(&self, path: &str) -> Picture {
        self.get(path).await.picture()
    }

    /// A document that must be there.
    pub async fn json(&self, path: &str) -> Value {
        self.get(path).await.json()
    }

    /// The status alone.
    pub async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status.as_u16()
    }
}

fn config(root: impl AsRef<Path>, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    config.source.root = root.as_ref().to_owned();
    // The directory of the one who runs the tests is not theirs; and whether a pyramid stands is left to chance.
    config.pyramids.enabled = false;
    change(&mut config);
    config
}

/// Those of an answer that was made.
pub fn bytes(derivative: Derivative) -> Bytes {
    match derivative.content {
        Content::Bytes(bytes) => bytes,
        Content::File(_) => panic!("it is a file as it is"),
    }
}

/// A file or directory below `fixtures`.
pub fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// A whole response.
pub struct Answer {
    pub path: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The only header of this name, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(
            values.next().is_none(),
            "{}: two lines of {name}",
            self.path
        );
        value
    }

    /// The target of a relation in the `Link` header; a target may contain commas.
    pub fn link(&self, relation: &str) -> Option<&str> {
        let (before, _) = self
            .header("link")?
            .split_once(&format!(">;rel=\"{relation}\""))?;
        before.rsplit_once('<').map(|(_, target)| target)
    }

    /// The canonical request, without the address of the server.
    pub fn canonical(&self) -> &str {
        let link = self.link("canonical");
        let link = link.unwrap_or_else(|| panic!("{}: no canonical link", self.path));
        let origin = format!("http://{HOST}");
        link.strip_prefix(&origin)
            .unwrap_or_else(|| panic!("{}: {link}", self.path))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        self.assert_ok();
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn picture(&self) -> Picture {
        self.assert_ok();
        match self.header("content-type").unwrap() {
            "image/png" => Picture::from_png(&self.body),
            _ => Picture::from_any(&self.body),
        }
    }

    pub fn assert_ok(&self) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, StatusCode::OK, "{}: {text}", self.path);
    }
}

/// Pixels of any format as red, green, blue and opacity, so that formats compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    /// Row by row.
    pub pixels: Vec<[u8; 4]>,
    /// Samples of each pixel as sent: 1 gray, 2 gray and opacity, 3 colour, 4 colour and opacity.
    pub channels: usize,
}

impl Picture {
    /// A picture that is computed.
    pub fn new(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Self {
        let points = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = points.map(|(x, y)| pixel(x, y)).collect();
        Self {
            width,
            height,
            pixels,
            channels: 4,
        }
    }

    /// Decoded by the library that the server does not decode the answer with again.
    pub fn from_png(bytes: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut samples).unwrap();
        samples.truncate(frame.buffer_size());
        Self::from_samples(
            frame.width,
            frame.height,
            &samples,
            frame.color_type.samples(),
        )
    }

    /// Decoded as the server decodes its sources.
    pub fn from_any(bytes: &[u8]) -> Self {
        let limits = Limits {
            source_pixels: 1 << 30,
            decoded_bytes: 1 << 30,
            ..Limits::DEFAULT
        };
        let decoder = decode::open(Arc::new(bytes.to_vec()), &limits).unwrap();
        let rect = Rect::whole(decoder.header().stored_dimensions());
        let raster = decoder.decode(&Window { level: 0, rect }).unwrap();
        let Samples::U8(samples) = raster.samples() else {
            panic!("samples of 16 bits were sent");
        };
        assert!(raster.layout() != Layout::Cmyk, "inks were sent");
        let size = raster.dimensions();
        Self::from_samples(
            size.width(),
            size.height(),
            samples,
            raster.layout().channels(),
        )
    }

    fn from_samples(width: u32, height: u32, samples: &[u8], channels: usize) -> Self {
        let pixels = samples.chunks_exact(channels).map(|pixel| match *pixel {
            [gray] => [gray, gray, gray, 255],
            [gray, alpha] => [gray, gray, gray, alpha],
            [r, g, b] => [r, g, b, 255],
            [r, g, b, alpha] => [r, g, b, alpha],
            _ => panic!("{channels} channels"),
        });
        Self {
            width,
            height,
            pixels: pixels.collect(),
            channels,
        }
    }

    /// An 8-bit PNG with opacity.
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(self.pixels.as_flattened()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    pub fn at(&self, x: u32, y: u32) -> [u8; 4] {
        assert!(x < self.width && y < self.height, "{x},{y} is outside");
        self.pixels[(y * self.width + x) as usize]
    }

    /// The greatest difference of two samples; the colour of what cannot be seen does not count.
    pub fn difference(&self, other: &Self) -> u8 {
        assert_eq!(self.size(), other.size());
        let visible = |(a, b): &(&[u8; 4], &[u8; 4])| a[3] > 0 || b[3] > 0;
        let pairs = self.pixels.iter().zip(&other.pixels).filter(visible);
        pairs
            .flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)))
            .max()
            .unwrap_or(0)
    }

    pub fn assert_like(&self, wanted: &Self, tolerance: u8) {
        let difference = self.difference(wanted);
        assert!(difference <= tolerance, "samples differ by {difference}");
    }
}
