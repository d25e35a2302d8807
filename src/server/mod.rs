//! `cantoscribe serve`: the socket, the page and what the page asks for, and OpenAI's interface for other programs.
//!
//! Invariant: no request is answered whose Host and Origin are not the address served.

mod access;
mod accounts;
mod asked;
mod caller;
mod certificate;
mod clock;
mod connections;
mod drain;
mod edits;
mod erasures;
mod error;
mod feeds;
mod guard;
mod health;
mod holds;
mod learning;
mod letters;
mod notes;
mod number;
mod openai;
mod openapi;
mod page;
pub mod protocol;
mod proxies;
mod recordings;
mod refused;
mod reports;
mod restriction;
mod retention;
mod sender;
mod sharing;
mod signing;
mod socket;
mod templates;
mod terms;
mod visits;
mod wire;
mod witnesses;

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Json, Router, middleware};
use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::RustlsAcceptor;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use certificate::Certificate;
pub use error::ServerError;
pub use proxies::Network;
pub use retention::Retention;

use self::access::{CookieForm, Gate, Strangers, renew};
use self::caller::{TRIAL_CLINICIAN, What};
use self::connections::{Connections, Limited};
use self::error::{ApiError, ErrorDocument};
use self::guard::Hosts;
use self::openai::Allowance;
use self::protocol::{LONGEST_FRAME, Opening};
use self::proxies::Proxies;
use self::sender::Sender;
use crate::audit::{Action, Actor, Event, Outcome, Refusal};
use crate::engine::Engine;
use crate::gateway::{self, Gateways};
use crate::openid::Provider;
use crate::room::{Asking, Rooms, Token};
use crate::store::{By, DeviceScope, Enrolment, Store};
use crate::terminology::Lexicon;

/// A frame beyond the contract's limit is still read up to this many bytes, so that the refusal reaches the client in order.
const LONGEST_READ: usize = 16 * LONGEST_FRAME;
/// The longest request body: an edited line is far below.
const LONGEST_BODY: usize = 64 << 10;
/// How long a shutdown waits for the sockets to close and their audio to be synced.
const SHUTDOWN: Duration = Duration::from_secs(3);
/// How long the head of a connection's first request may take, and of later ones, with the pause before them.
const FIRST_HEAD: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(75);
/// Seconds that the token of the first administrator is good for.
const SET_UP: i64 = 24 * 3600;

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entrance {
    /// Everybody on this machine, as one built-in clinician.
    Trial,
    /// People with passkeys, or from an issuer of OpenID Connect, on this machine: pages are at `http://localhost`.
    Local,
    /// The same people, at this `https://` address.
    Public {
        /// What browsers see.
        url: String,
        /// With it TLS is made here, else by somebody else who hands requests on.
        certificate: Option<Certificate>,
    },
}

/// What there is once requests are answered.
#[derive(Debug, Clone)]
pub struct Started {
    /// The address served.
    pub address: SocketAddr,
    /// Where the pages are.
    pub origin: String,
    /// What makes the first administrator, once, while there is none.
    pub set_up: Option<String>,
}

/// How to serve.
pub struct Settings {
    /// A loopback address, or one behind `entrance`'s.
    pub address: SocketAddr,
    /// Who is let in, and how.
    pub entrance: Entrance,
    /// The data folder.
    pub store: Store,
    /// The loaded models.
    pub engine: Arc<Engine>,
    /// The terms of the notes.
    pub lexicon: Arc<Lexicon>,
    /// Bytes of disk below which no new recording is begun.
    pub keep_free: u64,
    /// Bytes of the longest file that may be uploaded.
    pub longest_upload: u64,
    /// How messages reach patients; without, a trial's outbox page shows them, and elsewhere they wait.
    pub gateways: Option<Gateways>,
    /// Issuers of OpenID Connect at which people may sign in, beside passkeys.
    pub openid: Vec<Provider>,
    /// Proxies that are believed when they say for whom they ask.
    pub proxies: Vec<Network>,
    /// Connections that may be open at once.
    pub connections: usize,
    /// What `/metrics` asks for, from anywhere; without, it answers programs of this machine.
    pub metrics: Option<Token>,
    /// How long things are kept.
    pub retention: Retention,
}

/// What every request may use.
#[derive(Clone)]
struct App {
    rooms: Arc<Rooms>,
    gate: Arc<Gate>,
    allowance: Allowance,
    sharing: sharing::Sharing,
    strangers: Arc<Strangers>,
    retention: Retention,
    feeds: feeds::Feeds,
    witnesses: witnesses::Witnesses,
    connections: Connections,
    /// The hash of the token that figures are given for.
    metrics: Option<[u8; 32]>,
    /// Turns true when the server shuts down. Who must have ended by then holds a receiver.
    closing: Arc<watch::Sender<bool>>,
}

/// Serves until `shutdown` completes. `ready` is told the address, once requests are answered.
///
/// # Errors
/// An address that cannot be served on, or that is no loopback address with nothing before it; a data folder that cannot be used.
pub async fn serve(
    settings: Settings,
    ready: impl FnOnce(Started),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServerError> {
    let Settings { address, entrance, store, engine, lexicon, keep_free, longest_upload, gateways, openid, retention, .. } =
        settings;
    let (proxies, metrics) = (Proxies::of(&settings.proxies), settings.metrics.map(|token| token.hash()));
    let connections = Connections::of(settings.connections, proxies.clone());
    match entrance {
        Entrance::Trial if !address.ip().is_loopback() => return Err(ServerError::NotLoopback(address)),
        Entrance::Local if !address.ip().is_loopback() => return Err(ServerError::Unprotected(address)),
        _ => {}
    }
    let bind = |source| ServerError::Bind { address, source };
    let listener = TcpListener::bind(address).map_err(bind)?;
    let served = listener.local_addr().map_err(bind)?;
    let tls = match &entrance {
        Entrance::Public { certificate: Some(certificate), .. } => Some(certificate.load().await?),
        _ => None,
    };
    let (gate, hosts, origin) = doors(&entrance, served, openid)?;
    let set_up = match &entrance {
        Entrance::Trial => store.enter_trial(TRIAL_CLINICIAN, &By::now(Actor::System)).await.map(|()| None)?,
        _ => set_up(&store).await?.map(|token| format!("{origin}/accounts#{}", token.reveal())),
    };
    let mut gateways = match gateways {
        None => Gateways::new(gateway::Settings::default())?,
        Some(given) => given,
    };
    store.index_contacts().await?;
    let feeds = feeds::Feeds::begin(&store, std::mem::take(&mut gateways.feeds)).await?;
    let witnesses = witnesses::Witnesses::begin(&store, std::mem::take(&mut gateways.witnesses)).await;
    // After the log was held against what its witnesses saw, for this makes it longer.
    store.tell_start().await?;
    // Only a trial shows on a page what patients are sent: elsewhere a message waits for a gateway.
    let gateways = (gateways.reach_patients() || entrance != Entrance::Trial).then_some(gateways);
    let sharing = sharing::Sharing::new(store.clone(), gateways, origin.clone())?;
    let asking = if entrance == Entrance::Trial { Asking::Nobody } else { Asking::Patients };
    let rooms = Rooms::new(engine, store, lexicon, keep_free, asking).await?;
    let closing = Arc::new(watch::Sender::new(false));
    let allowance = Allowance::new(longest_upload, clock::seconds());
    tokio::spawn(sharing.clone().deliver(closing.subscribe()));
    tokio::spawn(retention::run(rooms.store().clone(), retention, closing.subscribe()));
    let strangers = sharing.strangers();
    let left_out = (Arc::clone(&strangers), rooms.store().clone(), closing.subscribe());
    tokio::spawn(async move { left_out.0.run(&left_out.1, left_out.2).await });
    feeds.run(rooms.store(), &closing);
    witnesses.run(rooms.store(), &closing);
    if let Some(sign_in) = &gate.sign_in {
        sign_in.providers.run(&closing);
    }
    let gate = Arc::new(gate);
    let closes = Arc::clone(&closing);
    let app = App {
        rooms: Arc::clone(&rooms),
        gate,
        allowance,
        sharing,
        strangers,
        retention,
        feeds,
        witnesses,
        connections: connections.clone(),
        metrics,
        closing: closes,
    };
    let only_tls = origin.starts_with("https://");
    let router = router(app, hosts).layer(middleware::from_fn_with_state(proxies, proxies::believe));
    let router = if only_tls { router.layer(middleware::map_response(only_over_tls)) } else { router };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    // Not `http1_only`, which serves without upgrades: no socket would open.
    let mut server = axum_server::from_tcp(listener).map_err(bind)?.first_request_timeout(FIRST_HEAD);
    server.http_builder().http1().header_read_timeout(HEAD);
    let answering = async move {
        match tls {
            Some(tls) => server.acceptor(Limited::new(RustlsAcceptor::new(tls), connections)).serve(service).await,
            None => server.acceptor(Limited::new(DefaultAcceptor::new(), connections)).serve(service).await,
        }
    };
    ready(Started { address: served, origin, set_up });
    let stop = async move {
        shutdown.await;
        closing.send_replace(true);
        // Sockets and uploads hold a receiver each: all are gone when they have closed.
        let _ = tokio::time::timeout(SHUTDOWN, closing.closed()).await;
    };
    let ended = tokio::select! {
        served = answering => served.map_err(ServerError::Ended),
        () = stop => Ok(()),
    };
    rooms.close().await;
    let store = rooms.store();
    let told = async {
        store.tell_stop(ended.is_err()).await?;
        // The log's files are whole while no server runs.
        store.write_log().await
    };
    if let Err(error) = told.await {
        tracing::error!(%error, "that the server stops is not in the log's files");
    }
    ended
}

/// How people come in, under which names this is served, and where the pages are.
fn doors(entrance: &Entrance, served: SocketAddr, openid: Vec<Provider>) -> Result<(Gate, Hosts, String), ServerError> {
    let hosts = Hosts::of(served);
    Ok(match entrance {
        Entrance::Trial => (Gate::trial()?, hosts, format!("http://{served}")),
        Entrance::Local => {
            let origin = format!("http://localhost:{}", served.port());
            (Gate::with_sign_in(&origin, CookieForm::of_port(served.port()), openid)?, hosts, origin)
        }
        Entrance::Public { url, certificate } => {
            let host = url.strip_prefix("https://").map(|host| host.trim_end_matches('/'));
            let host = host.ok_or_else(|| ServerError::PublicUrl(url.clone()))?;
            let gate = Gate::with_sign_in(url, CookieForm::over_tls(), openid)?;
            let hosts = if certificate.is_some() { Hosts::over_tls(host) } else { hosts.and_public(host) };
            (gate, hosts, format!("https://{host}"))
        }
    })
}

/// A token for the first administrator, while there is none. One that was told before is worth nothing any more.
async fn set_up(store: &Store) -> Result<Option<Token>, ServerError> {
    if store.has_administrator().await? {
        return Ok(None);
    }
    let (token, by) = (Token::generate()?, By::now(Actor::System));
    store.offer((token.hash(), by.seconds() + SET_UP), None, &Enrolment::SetUp, &by).await?;
    Ok(Some(token))
}

fn router(app: App, hosts: Hosts) -> Router {
    let (interface, document) = interface().split_for_parts();
    interface
        .layer(middleware::map_response(error::in_our_form))
        .merge(page::routes())
        .merge(sharing::pages().with_state(app.sharing.clone()))
        .merge(health::routes())
        .route(openapi::PATH, get(move || openapi::show(document.clone())))
        .fallback(|| async { ApiError::NoSuchAddress })
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::map_response(unseen))
        .layer(middleware::from_fn(renew))
        .layer(middleware::from_fn(health::count))
        .layer(Extension(health::Meter::new()))
        .layer(middleware::from_fn_with_state(hosts, guard::check))
        .layer(middleware::from_fn_with_state(app.clone(), refused::keep))
        .with_state(app)
}

/// Everything but the page's own files, each address with its description.
fn interface() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(status))
        .routes(routes!(listen))
        .routes(routes!(recordings::list))
        .routes(routes!(recordings::show, recordings::erase))
        .routes(routes!(recordings::token))
        .routes(routes!(recordings::finish))
        .routes(routes!(recordings::audio))
        .routes(routes!(notes::download))
        .routes(routes!(edits::edit))
        .routes(routes!(edits::undo))
        .routes(routes!(edits::redo))
        .routes(routes!(signing::show))
        .routes(routes!(signing::history))
        .routes(routes!(signing::review))
        .routes(routes!(signing::sign))
        .routes(routes!(signing::addendum))
        .routes(routes!(restriction::mark, restriction::unmark))
        .routes(routes!(terms::search))
        .routes(routes!(notes::download_transcript))
        .routes(routes!(letters::show))
        .routes(routes!(learning::show_figures))
        .routes(routes!(learning::list))
        .routes(routes!(learning::forget))
        .routes(routes!(learning::suggest))
        .routes(routes!(templates::list))
        .routes(routes!(templates::keep, templates::remove))
        .routes(routes!(templates::choose_template))
        .routes(routes!(holds::list, holds::place))
        .routes(routes!(holds::lift))
        .routes(routes!(erasures::look))
        .routes(routes!(erasures::erase))
        .merge(accounts::routes())
        .merge(visits::routes())
        .merge(sharing::routes())
        .merge(reports::routes())
        .merge(openai::routes())
}

/// No answer is kept by a cache, guessed to be of another kind or told to another site.
async fn unseen(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("same-origin"));
    response
}

/// Browsers come back over TLS alone, for a year.
async fn only_over_tls(mut response: Response) -> Response {
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    response
}

#[derive(Serialize, ToSchema)]
struct Status {
    version: &'static str,
    model: String,
    precision: &'static str,
    trial: bool,
    languages: [&'static str; 4],
    clinician: Clinician,
    rooms: RoomCount,
    disk_low: bool,
    /// Hours for which sound is kept after its note was signed.
    keep_sound_hours: u32,
}

#[derive(Serialize, ToSchema)]
struct Clinician {
    name: String,
}

#[derive(Serialize, ToSchema)]
struct RoomCount {
    open: usize,
    most: usize,
}

/// What is served.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, description = "What is served", body = Status), (status = "default", description = "Why not", body = ErrorDocument)))]
async fn status(State(app): State<App>, sender: Sender) -> Result<Json<Status>, ApiError> {
    let models = app.rooms.engine().models();
    let (open, most) = app.rooms.engine().rooms();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        model: models.identity.name.clone(),
        precision: models.precision,
        trial: app.gate.sign_in.is_none(),
        languages: ["yue", "zh", "en", "auto"],
        clinician: Clinician { name: sender.name().to_owned() },
        rooms: RoomCount { open, most },
        disk_low: app.rooms.disk_low()?,
        keep_sound_hours: app.retention.sound_hours,
    }))
}

/// The live socket: audio in, words and the note out.
///
/// An address has either `rate`, `format` and what else describes the audio of a new recording, or the `recording` to come back to.
#[utoipa::path(
    get,
    path = "/v1/listen",
    params(
        ("rate" = Option<u32>, Query, description = "Samples a second of each channel, 8000 to 192000"),
        ("channels" = Option<u16>, Query, description = "1 to 8; 1 when not said"),
        ("format" = Option<String>, Query, description = "`pcm_s16le`, `pcm_f32le` or `opus`"),
        ("language" = Option<String>, Query, description = "`yue`, `zh`, `en` or `auto`; `yue` when not said"),
        ("speakers" = Option<String>, Query, description = "A name for each channel, with commas between"),
        ("encounter" = Option<String>, Query, description = "The visit that it belongs to; in a trial nobody's when not said"),
        ("recording" = Option<String>, Query, description = "The recording to come back to"),
    ),
    responses((status = 101, description = "A WebSocket"), (status = "default", description = "Why not", body = ErrorDocument))
)]
async fn listen(
    State(app): State<App>,
    sender: Sender,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let opening = Opening::parse(&query);
    match &opening {
        // Looked at again when the recording begins: a refusal may come between.
        Ok(Opening::Begin { encounter, .. }) => sender.may_hear(&app, DeviceScope::Record, encounter.as_deref()).await?,
        Ok(Opening::Resume { recording }) => sender.may_record(&app, What::Recording(recording)).await?,
        Err(_) => {
            let event = sender.by().did_in_general(Action::Request { count: 1 });
            let outcome = Outcome::Refused { reason: Refusal::Malformed };
            app.rooms.store().keep_event(&Event { outcome, ..event }).await?;
        }
    }
    let (by, pass) = (sender.by(), sender.pass().clone());
    let App { rooms, closing, gate, .. } = app;
    Ok(upgrade.max_message_size(LONGEST_READ).max_frame_size(LONGEST_READ).on_upgrade(move |socket| async move {
        let store = rooms.store().clone();
        let over = gate.over(&store, &pass);
        socket::serve(socket, rooms, opening, by, (closing.subscribe(), over)).await;
    }))
}
