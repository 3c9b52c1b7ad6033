//! From layers to a configuration, or to everything that is wrong with them.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use super::layers::Given;
use super::report::Reporter;
use super::{Config, ConfigErrors, Layers, Loaded, Problem, formats, schema};
use crate::{access, ingest, overlay, route};

/// Merges, checks and parses. `more` looks for problems that the schema cannot know.
///
/// # Errors
/// With all problems found.
pub fn load(layers: &Layers, more: fn(&Given) -> Option<Problem>) -> Result<Loaded, ConfigErrors> {
    let schema = schema::schema();
    let given = layers.merge(&schema).map_err(|problem| of_one(*problem))?;
    let mut problems = of_schema(&given, &schema);
    problems.extend(more(&given));
    if let Some(errors) = ConfigErrors::new(problems) {
        return Err(errors);
    }
    let config: Config =
        serde_json::from_value(given.values).map_err(|error| of_one(unforeseen(&error)))?;
    let mut problems = route::problems(&config);
    problems.extend(ingest::problems(&config));
    problems.extend(access::problems(&config));
    problems.extend(overlay::problems(&config));
    if let Some(errors) = ConfigErrors::new(problems) {
        return Err(errors);
    }
    Ok(Loaded {
        config,
        origins: given.origins,
    })
}

pub fn nothing_more(_: &Given) -> Option<Problem> {
    None
}

/// Whether the root can be served on this machine, if it is to be.
pub fn root_is_a_directory(given: &Given) -> Option<Problem> {
    const KEY: &str = "source.root";
    if !uses_root(given) {
        return None;
    }
    let default = Config::default().source.root;
    let root = given
        .get(KEY)
        .and_then(Value::as_str)
        .map_or(default.as_path(), Path::new);
    if root.is_dir() {
        return None;
    }
    Some(Problem {
        key: KEY.to_owned(),
        value: Some(format!("{:?}", root.display().to_string())),
        origin: given.origins.get(KEY).cloned(),
        rule: "must be an existing directory that the server may read".to_owned(),
        remedy: "Create it, mount it, or name another: `azulejo serve DIR` or source.root."
            .to_owned(),
    })
}

/// Where there are rules, one of them has to lead there.
fn uses_root(given: &Given) -> bool {
    let leads_there = |route: &Value| route.get("source").is_none_or(|name| name == route::FILES);
    let routes = given.get("routes").and_then(Value::as_array);
    routes.is_none_or(|routes| routes.is_empty() || routes.iter().any(leads_there))
}

fn of_one(problem: Problem) -> ConfigErrors {
    ConfigErrors::new(vec![problem]).expect("one is not none")
}

/// The schema passed and the parser did not: the schema lacks a rule, which is a defect, but no reason to panic.
fn unforeseen(error: &serde_json::Error) -> Problem {
    Problem {
        key: "configuration".to_owned(),
        value: None,
        origin: None,
        rule: error.to_string(),
        remedy: "Correct the value that this names.".to_owned(),
    }
}

fn of_schema(given: &Given, schema: &Value) -> Vec<Problem> {
    let reporter = Reporter { given, schema };
    let validator = validator(schema);
    let errors = validator.iter_errors(&given.values);
    errors.flat_map(|error| reporter.problems(&error)).collect()
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    let options = formats::FORMATS.iter().fold(options, |options, format| {
        options.with_format(format.name, |text: &str| (format.check)(text).is_ok())
    });
    options
        .build(schema)
        .expect("the generated schema is valid; a test builds it")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::SocketAddr;

    use tempfile::NamedTempFile;

    use super::*;
    use crate::config::Flag;

    fn layers(file: &str, environment: &[(&str, &str)]) -> (Layers, NamedTempFile) {
        let written = NamedTempFile::new().unwrap();
        fs::write(written.path(), file).unwrap();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let layers = Layers {
            file: Some(written.path().to_owned()),
            environment: environment.iter().map(owned).collect(),
            flags: Vec::new(),
        };
        (layers, written)
    }

    fn loaded(file: &str, environment: &[(&str, &str)]) -> Loaded {
        let (layers, _written) = layers(file, environment);
        Config::load(&layers).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn problems(file: &str, environment: &[(&str, &str)]) -> Vec<Problem> {
        let (layers, _written) = layers(file, environment);
        Config::load(&layers).unwrap_err().problems().to_vec()
    }

    fn keys(problems: &[Problem]) -> Vec<&str> {
        problems
            .iter()
            .map(|problem| problem.key.as_str())
            .collect()
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_given_means_the_defaults() {
        let loaded = Config::load(&Layers::default()).unwrap();
        assert_eq!(loaded.config, Config::default());
        assert!(loaded.origins.is_empty());
        assert_eq!(loaded.config.server.listen, address("127.0.0.1:8182"));
        assert_eq!(loaded.config.decode.decoded_bytes, 2_147_483_648);
    }

    #[test]
    fn later_layers_win() {
        let file =
            "[server]\nlisten = '1.1.1.1:1'\nrequest_timeout = 5\n[encode]\njpeg_quality = 70";
        let (mut layers, _written) = layers(
            file,
            &[
                ("AZULEJO_SERVER__LISTEN", "2.2.2.2:2"),
                ("AZULEJO_SERVER__REQUEST_TIMEOUT", "6"),
            ],
        );
        layers.flags = vec![Flag {
            name: "--listen",
            key: "server.listen",
            value: "3.3.3.3:3".to_owned(),
        }];
        let Loaded { config, origins } = Config::load(&layers).unwrap();
        assert_eq!(config.server.listen, address("3.3.3.3:3"));
        assert_eq!(config.server.request_timeout, 6);
        assert_eq!(config.encode.jpeg_quality, 70);
        assert_eq!(config.encode.webp_quality, 80);
        assert_eq!(origins["server.listen"], "--listen");
        assert_eq!(
            origins["server.request_timeout"],
            "AZULEJO_SERVER__REQUEST_TIMEOUT"
        );
        assert!(origins["encode.jpeg_quality"].starts_with('/'), "the file");
        assert!(!origins.contains_key("encode.webp_quality"));
    }

    #[test]
    fn the_environment_has_values_of_every_type() {
        let config = loaded(
            "",
            &[
                ("AZULEJO_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1/128"),
                ("AZULEJO_SERVER__UNESCAPED_SLASHES", "true"),
                ("AZULEJO_SOURCE__ROOT", "1999"),
                ("AZULEJO_DECODE__DECODED_BYTES", "1024"),
                ("AZULEJO_IMAGE__MAX_WIDTH", "4000"),
                ("AZULEJO_LOG__FORMAT", "json"),
                ("AZULEJO_SERVER__CACHE_CONTROL", ""),
            ],
        )
        .config;
        assert_eq!(config.server.trusted_proxies.len(), 2);
        assert!(config.server.unescaped_slashes);
        assert_eq!(config.source.root, Path::new("1999"));
        assert_eq!(config.decode.decoded_bytes, 1024);
        assert_eq!(config.image.max_width, Some(4000));
        assert_eq!(
            config.server.cache_control, "public, max-age=86400",
            "empty is not set"
        );
    }

    #[test]
    fn variables_that_are_no_settings_are_left_alone() {
        let environment = [
            ("AZULEJO_CONFIG", "x"),
            ("AZULEJO_PORT_8182_TCP", "tcp://10.0.0.1:8182"),
            ("PATH", "/bin"),
        ];
        assert!(loaded("", &environment).origins.is_empty());
    }

    #[test]
    fn unknown_keys_are_errors_with_a_suggestion() {
        let file = "top = 1\n[server]\nlisten_on = '0.0.0.0:80'\nlisen = ''\n[sorce]\nroot = '.'";
        let problems = problems(file, &[("AZULEJO_SERVER_LISTEN", "x")]);
        assert_eq!(
            keys(&problems),
            [
                "server.lisen",
                "server.listen_on",
                "server_listen",
                "sorce",
                "top"
            ]
        );
        let remedies: Vec<_> = problems
            .iter()
            .map(|problem| problem.remedy.as_str())
            .collect();
        assert_eq!(
            remedies[0],
            "Did you mean server.listen? Otherwise remove it."
        );
        assert_eq!(
            remedies[1],
            "Did you mean server.listen? Otherwise remove it."
        );
        assert_eq!(
            remedies[2],
            "Did you mean AZULEJO_SERVER__LISTEN? Otherwise remove it."
        );
        assert_eq!(remedies[3], "Did you mean source? Otherwise remove it.");
        assert!(
            remedies[4]
                .starts_with("Remove it. The sections are: server, source, sources.files.NAME,")
        );
    }

    #[test]
    fn every_bad_value_is_reported_at_once() {
        let file = "
            [server]
            listen = '127.0.0.1:80000'
            public_url = 'https://example.org/?a=b'
            trusted_proxies = ['10.0.0.0/8', '10.0.0.0/40']
            slash_substitute = '/'
            unescaped_slashes = 'yes'
            cache_control = \"a\\nb\"
            request_timeout = 0
            viewer = 'https://example.org'
            [image]
            max_width = 0.5
            max_height = -1
            max_area = 0
            rights = 'public domain'
            attribution = ''
            [decode]
            decoded_bytes = '1 GiBi'
            source_pixels = '5'
            [encode]
            jpeg_quality = 101
            background = 'white'
            [log]
            format = 'xml'
            level = 'loud'
        ";
        let problems = problems(file, &[("AZULEJO_WORK__THREADS", "many")]);
        assert_eq!(
            keys(&problems),
            [
                "decode.decoded_bytes",
                "decode.source_pixels",
                "encode.background",
                "encode.jpeg_quality",
                "image.attribution",
                "image.max_area",
                "image.max_height",
                "image.max_width",
                "image.rights",
                "log.format",
                "log.level",
                "server.cache_control",
                "server.listen",
                "server.public_url",
                "server.request_timeout",
                "server.slash_substitute",
                "server.trusted_proxies.1",
                "server.unescaped_slashes",
                "server.viewer",
                "work.threads",
            ]
        );
    }

    #[test]
    fn a_problem_says_key_value_origin_rule_and_remedy() {
        let problems = problems("", &[("AZULEJO_SERVER__LISTEN", "localhost")]);
        assert_eq!(
            problems[0].to_string(),
            "server.listen = \"localhost\"  (from AZULEJO_SERVER__LISTEN)
  rule: must be an IP address, a colon and a port from 0 to 65535; IPv6 addresses in brackets. Address and port to listen on.
  remedy: This does not fit: invalid socket address syntax. Write for example \
            AZULEJO_SERVER__LISTEN=127.0.0.1:8182, or remove it for the default."
        );
    }

    /// I3.08.
    #[test]
    fn a_greatest_height_requires_a_greatest_width() {
        let problems = problems("[image]\nmax_height = 100", &[]);
        assert_eq!(keys(&problems), ["image.max_width"]);
        assert_eq!(
            problems[0].remedy,
            "Set image.max_width as well, or remove image.max_height."
        );
    }

    #[test]
    fn numbers_too_large_for_their_field_are_problems_of_the_key() {
        let problems = problems(
            "[image]\nmax_width = 4294967296\n[work]\nqueue = 1000001",
            &[],
        );
        assert_eq!(keys(&problems), ["image.max_width", "work.queue"]);
    }

    #[test]
    fn a_section_may_stand_within_another() {
        let file = "[cache]\npixels = '1 GiB'\n[cache.redis]\nttl = 5";
        let environment = [("AZULEJO_CACHE__REDIS__PREFIX", "images:")];
        let loaded = loaded(file, &environment);
        assert_eq!(loaded.config.cache.redis.ttl, 5);
        assert_eq!(loaded.config.cache.redis.prefix, "images:");
        let printed = loaded.to_string();
        let section = printed
            .split("[cache.redis]\n# url is not set\n")
            .nth(1)
            .unwrap();
        assert!(section.starts_with("prefix = \"images:\" # AZULEJO_CACHE__REDIS__PREFIX\n"));

        let problems = problems(
            "[cache.redis]\ntl = 5\nflavour = 1\n[cache.rdis]\nttl = 1",
            &[],
        );
        let remedies: Vec<_> = problems
            .iter()
            .map(|problem| problem.remedy.as_str())
            .collect();
        assert_eq!(
            remedies,
            [
                "Did you mean cache.redis? Otherwise remove it.",
                "Remove it. The keys of this section are: url, prefix, ttl, timeout_ms.",
                "Did you mean cache.redis.ttl? Otherwise remove it.",
            ]
        );
    }

    #[test]
    fn passwords_are_not_printed() {
        let file = "[cache.redis]\nurl = 'redis://me:secret@host'";
        assert!(
            loaded(file, &[])
                .to_string()
                .contains("redis://me:***@host")
        );
        for wrong in [
            "url = 'reds://me:secret@host'",
            "ulr = 'redis://me:secret@host'",
        ] {
            let problems = problems(&format!("[cache.redis]\n{wrong}"), &[]);
            let text = problems[0].to_string();
            assert!(
                text.contains("me:***@host") && !text.contains("secret"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_object_store_that_cannot_be_is_a_problem() {
        for (wrong, says) in [
            ("url = 'gs://bucket'", "does not begin with s3://"),
            ("url = 's3://me:secret@bucket'", "no name of a bucket"),
            ("endpoint = 's3.example.org'", "does not begin with http"),
        ] {
            let text = problems(&format!("[cache.objects]\n{wrong}"), &[])[0].to_string();
            assert!(text.contains(says) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_file_that_is_not_toml_or_not_there_is_a_problem() {
        let not_toml = problems("[server\nlisten = 1", &[]);
        assert_eq!(not_toml[0].rule, "must be TOML");
        assert!(
            not_toml[0].remedy.contains("line 1"),
            "{}",
            not_toml[0].remedy
        );

        let missing = Layers {
            file: Some("no/such.toml".into()),
            ..Layers::default()
        };
        let errors = Config::load(&missing).unwrap_err();
        assert_eq!(keys(errors.problems()), ["no/such.toml"]);
        assert!(errors.to_string().contains("There is no such file"));
    }

    #[test]
    fn serving_needs_the_directory_and_says_so_with_the_rest() {
        let (layers, _written) = layers("[source]\nroot = '/no/such'\n[work]\nthreads = -1", &[]);
        assert_eq!(
            keys(Config::load(&layers).unwrap_err().problems()),
            ["work.threads"]
        );
        let errors = Config::load_for_serving(&layers).unwrap_err();
        assert_eq!(keys(errors.problems()), ["source.root", "work.threads"]);
    }

    #[test]
    fn what_is_printed_gives_the_same_configuration() {
        let file = "[server]\nviewer = 'https://v.example.org/#{info}'\ntrusted_proxies = ['10.0.0.0/8']\n[encode]\nbackground = '#000000'";
        let first = loaded(file, &[("AZULEJO_WORK__QUEUE", "7")]);
        let printed = first.to_string();
        assert_eq!(loaded(&printed, &[]).config, first.config);
        assert!(
            printed.contains("queue = 7 # AZULEJO_WORK__QUEUE\n"),
            "{printed}"
        );
        assert!(
            printed.contains("jpeg_quality = 85 # default\n"),
            "{printed}"
        );
        assert!(printed.contains("# public_url is not set\n"), "{printed}");
    }

    /// A section whose name was forgotten, or cannot be one; a value of the wrong type.
    #[test]
    fn secrets_of_sources_are_never_shown() {
        for file in [
            "[sources.http]\npassword = 'topsecret'",
            "[sources.http.A]\npassword = 'topsecret'",
            "[sources.http.a]\npasword = 'topsecret'",
            "[sources.http.a]\nurl = 'http://a.org/'\nheaders = { authorization = ['topsecret'] }",
            "[sources.objects.a]\nsecret_key = ['topsecret']",
        ] {
            let (layers, _written) = layers(file, &[]);
            let errors = Config::load(&layers).unwrap_err().to_string();
            assert!(!errors.contains("topsecret"), "{errors}");
        }
    }
}
