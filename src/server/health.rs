//! Whether the server lives, can work, and how much it does: for whoever runs it. No figure is of a patient, and no label holds an id.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::App;
use super::caller::bearer;
use super::error::ApiError;
use crate::audit::Actor;
use crate::store::By;

/// Upper bounds of the times of answers, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
/// What proxies write into requests that they hand on.
const FORWARDED: [&str; 6] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];
/// What OpenMetrics says its text is.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An answer: the address as the router has it, with no id in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    status: u16,
}

/// A receiver of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Receiver {
    feed: &'static str,
}

/// A witness of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cosigner {
    witness: String,
}

/// What is counted while the server runs.
pub(super) struct Meter {
    registry: Registry,
    answers: Family<Answer, Counter>,
    seconds: Histogram,
    rooms_open: Gauge,
    rooms_most: Gauge,
    connections_open: Gauge,
    connections_most: Gauge,
    disk_free: Gauge<u64, AtomicU64>,
    log_size: Gauge<u64, AtomicU64>,
    messages_waiting: Gauge<u64, AtomicU64>,
    messages_refused: Gauge<u64, AtomicU64>,
    messages_failed: Gauge<u64, AtomicU64>,
    feed_waiting: Family<Receiver, Gauge<u64, AtomicU64>>,
    witness_waiting: Family<Cosigner, Gauge<u64, AtomicU64>>,
    witness_at: Family<Cosigner, Gauge<u64, AtomicU64>>,
    witness_alarm: Family<Cosigner, Gauge>,
}

impl Meter {
    pub(super) fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("cantoscribe");
        let answers = Family::default();
        registry.register("http_answers", "Answers to requests", answers.clone());
        let seconds = Histogram::new(SECONDS);
        registry.register("http_answer_seconds", "Seconds until the head of an answer", seconds.clone());
        let gauge = |registry: &mut Registry, name, help| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let rooms_open = gauge(&mut registry, "rooms_open", "Rooms that are recorded now");
        let rooms_most = gauge(&mut registry, "rooms_most", "Rooms that this machine carries");
        let connections_open = gauge(&mut registry, "connections_open", "Connections that are open");
        let connections_most = gauge(&mut registry, "connections_most", "Connections that may be open");
        let count = |registry: &mut Registry, name, help| {
            let gauge = Gauge::<u64, AtomicU64>::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let disk_free = count(&mut registry, "disk_free_bytes", "Bytes free where the data folder is");
        let log_size = count(&mut registry, "audit_log_entries", "Entries under the audit log's signed head");
        let messages_waiting = count(&mut registry, "messages_waiting", "Messages to patients that no gateway has taken");
        let refused = "Messages to patients that wait and that their gateway called wrong at the last try";
        let messages_refused = count(&mut registry, "messages_refused", refused);
        let messages_failed =
            count(&mut registry, "messages_failed", "Messages to patients of the last week that no gateway took");
        let feed_waiting = Family::default();
        registry.register("feed_waiting_entries", "Entries of the audit log that a receiver has not taken", feed_waiting.clone());
        let witness_waiting = Family::default();
        registry.register(
            "witness_waiting_entries",
            "Entries of the audit log that a witness has not cosigned",
            witness_waiting.clone(),
        );
        let witness_at = Family::default();
        registry.register("witness_cosigned_seconds", "When a witness cosigned last, in seconds since 1970", witness_at.clone());
        let witness_alarm = Family::default();
        registry.register("witness_alarm", "1 where the audit log is not the one that a witness saw", witness_alarm.clone());
        Arc::new(Self {
            registry,
            answers,
            seconds,
            rooms_open,
            rooms_most,
            connections_open,
            connections_most,
            disk_free,
            log_size,
            messages_waiting,
            messages_refused,
            messages_failed,
            feed_waiting,
            witness_waiting,
            witness_at,
            witness_alarm,
        })
    }
}

/// The addresses of whoever runs the server: no part of the interface for programs.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// Counts an answer.
pub(super) async fn count(Extension(meter): Extension<Arc<Meter>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = match request.method().as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    };
    let begin = Instant::now();
    let response = next.run(request).await;
    meter.seconds.observe(begin.elapsed().as_secs_f64());
    meter.answers.get_or_create(&Answer { method, route, status: response.status().as_u16() }).inc();
    response
}

/// Ready while the database answers and the server does not shut down.
async fn ready(State(app): State<App>) -> Response {
    if *app.closing.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    match app.rooms.store().answers().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

/// Whether somebody may have the figures: with the token where there is one; else a program of this machine, for whom no proxy asks.
fn may_measure(token: Option<&[u8; 32]>, peer: IpAddr, headers: &HeaderMap) -> bool {
    match token {
        Some(hash) => bearer(headers).is_some_and(|token| token.matches(hash)),
        None => peer.to_canonical().is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name)),
    }
}

/// Figures in OpenMetrics' text form.
async fn metrics(
    State(app): State<App>,
    Extension(meter): Extension<Arc<Meter>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !may_measure(app.metrics.as_ref(), peer.ip(), &headers) {
        return Err(ApiError::NoSuchAddress);
    }
    let (connections_open, connections_most) = app.connections.count();
    meter.connections_open.set(i64::try_from(connections_open).unwrap_or(i64::MAX));
    meter.connections_most.set(i64::try_from(connections_most).unwrap_or(i64::MAX));
    let (open, most) = app.rooms.engine().rooms();
    let store = app.rooms.store();
    meter.rooms_open.set(i64::try_from(open).unwrap_or(i64::MAX));
    meter.rooms_most.set(i64::try_from(most).unwrap_or(i64::MAX));
    meter.disk_free.set(store.free_space()?);
    let size = store.log_head().size;
    meter.log_size.set(size);
    let messages = store.delivered(None, By::now(Actor::System).at).await?;
    meter.messages_waiting.set(messages.waiting);
    meter.messages_refused.set(messages.refused);
    meter.messages_failed.set(messages.failed);
    for (feed, next) in app.feeds.positions() {
        meter.feed_waiting.get_or_create(&Receiver { feed }).set(size.saturating_sub(next));
    }
    for said in app.witnesses.said() {
        let cosigner = Cosigner { witness: said.witness };
        meter.witness_waiting.get_or_create(&cosigner).set(size.saturating_sub(said.entries));
        meter.witness_at.get_or_create(&cosigner).set(said.at.map_or(0, |at| at.0 / 1000));
        meter.witness_alarm.get_or_create(&cosigner).set(i64::from(said.alarm.is_some()));
    }
    let mut text = String::new();
    // A string takes everything.
    let _ = encode(&mut text, &meter.registry);
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Token;

    #[test]
    fn figures_are_for_this_machine_or_for_who_has_the_token() {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let there: IpAddr = "192.0.2.1".parse().unwrap();
        let with =
            |name: &'static str, value: &'static str| HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let none = HeaderMap::new();
        assert!(may_measure(None, here, &none) && may_measure(None, "::ffff:127.0.0.1".parse().unwrap(), &none));
        assert!(!may_measure(None, there, &none));
        for name in FORWARDED {
            assert!(!may_measure(None, here, &with(name, "192.0.2.1")), "{name}");
        }
        let hash = Token::from_client("a token of some length".to_owned()).hash();
        let right = with("authorization", "Bearer a token of some length");
        assert!(may_measure(Some(&hash), there, &right) && may_measure(Some(&hash), here, &right));
        assert!(!may_measure(Some(&hash), here, &none), "a proxy that writes no header is on this machine too");
        assert!(!may_measure(Some(&hash), there, &with("authorization", "Bearer another")));
        assert!(!may_measure(None, there, &right));
    }
}
