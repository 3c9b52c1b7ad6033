//! The integration tests: one binary, so that it is linked once.

mod access;
mod admin;
mod auth1;
mod auth2;
#[path = "../common/browser.rs"]
mod browser;
mod budgets;
mod cache;
mod canonical;
#[path = "../common/chart.rs"]
mod chart;
mod compatibility;
mod composite_jobs;
mod composites;
mod copied;
mod cors;
#[path = "../common/documents.rs"]
mod documents;
mod errors;
#[path = "../common/file_server.rs"]
#[allow(dead_code, reason = "shared with the tests of the source")]
mod file_server;
#[path = "../common/folder_server.rs"]
mod folder_server;
mod format;
mod giant;
#[path = "../common/giants.rs"]
mod giants;
mod golden;
mod identifier;
mod import;
mod information_2;
mod information_3;
mod levels;
mod link;
#[path = "../common/log.rs"]
mod log;
mod manifests;
mod metrics;
mod negotiation;
mod node;
mod oidc;
#[path = "../common/oidc_provider.rs"]
mod oidc_provider;
mod order;
mod overlays;
#[path = "../common/pages.rs"]
mod pages;
mod parts;
mod pdf;
#[path = "../common/postgres_server.rs"]
mod postgres_server;
mod process;
mod protocol;
mod proxy;
mod pyramids;
mod quality;
mod redactions;
#[path = "../common/redis_server.rs"]
#[allow(dead_code, reason = "shared with the tests of the layer")]
mod redis_server;
mod region;
mod registry;
mod remote;
mod rotation;
mod routes;
#[path = "../common/s3_server.rs"]
#[allow(dead_code, reason = "shared with the tests of the layer")]
mod s3_server;
#[path = "../common/s3s_server.rs"]
#[allow(dead_code, reason = "shared with the tests of the source")]
mod s3s_server;
#[path = "../common/scripted_service.rs"]
#[allow(dead_code, reason = "shared with the tests of access")]
mod scripted_service;
mod security;
mod server;
mod shared_cache;
mod shared_objects;
mod size;
mod stale;
mod steps;
mod tamu;
mod tiles;
mod unread;
mod uri;
mod views;
mod warm;
