fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut config = azulejo::config::Config::default();
    config.source.root = std::env::args().nth(1).unwrap().into();
    azulejo::telemetry::init(&config.log);
    runtime.block_on(azulejo::http::serve(&config)).unwrap();
}
