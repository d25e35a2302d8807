//! How many connections may be open, and how long a client may take nothing of what it asked for.
//!
//! Heads, bodies and pauses between requests have limits of their own. A socket of a room or a view may be silent for hours: here a
//! connection ends only when something has been waiting to be written all the while.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::proxies::Proxies;

/// A client that takes nothing for so long is gone. Longer than a socket's own patience, which tells why.
const STALL: Duration = Duration::from_secs(40);

/// The connections that are open.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    proxies: Proxies,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Connections {
    /// So many at most, half of them of one address that is none of these proxies.
    pub fn of(most: usize, proxies: Proxies) -> Self {
        Self(Arc::new(Shared { most, proxies, open: Mutex::default() }))
    }

    /// How many are open, and how many may be.
    pub fn count(&self) -> (usize, usize) {
        (self.0.open().all, self.0.most)
    }

    /// A place for one more, which is free again when it is dropped.
    fn enter(&self, peer: IpAddr) -> Option<Place> {
        let (peer, mut open) = (peer.to_canonical(), self.0.open());
        let own = open.by_address.get(&peer).copied().unwrap_or_default();
        if open.all >= self.0.most || (own >= self.0.most.div_ceil(2) && !self.0.proxies.know(peer)) {
            return None;
        }
        open.all += 1;
        *open.by_address.entry(peer).or_default() += 1;
        Some(Place { shared: Arc::clone(&self.0), peer })
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place.
#[derive(Debug)]
struct Place {
    shared: Arc<Shared>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.all = open.all.saturating_sub(1);
        if let Some(own) = open.by_address.get_mut(&self.peer) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.by_address.remove(&self.peer);
            }
        }
    }
}

/// Accepts as the other does, while there is a place. Who gets none is closed at once.
#[derive(Debug, Clone)]
pub(super) struct Limited<A> {
    inner: A,
    connections: Connections,
}

impl<A> Limited<A> {
    /// In front of this.
    pub fn new(inner: A, connections: Connections) -> Self {
        Self { inner, connections }
    }
}

impl<A, S> Accept<TcpStream, S> for Limited<A>
where
    A: Accept<TcpStream, S>,
    A::Future: Send + 'static,
{
    type Stream = Patient<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = stream.peer_addr().map(|peer| self.connections.enter(peer.ip()));
        let accepting = self.inner.accept(stream, service);
        Box::pin(async move {
            let place = place?.ok_or_else(|| io::Error::other("too many connections"))?;
            let (inner, service) = accepting.await?;
            Ok((Patient { inner, stalled: None, patience: STALL, _place: Some(place) }, service))
        })
    }
}

/// A stream that ends when what is to be written has waited too long.
pub(super) struct Patient<S> {
    inner: S,
    /// Runs while something waits to be written.
    stalled: Option<Pin<Box<Sleep>>>,
    patience: Duration,
    _place: Option<Place>,
}

impl<S> Patient<S> {
    /// What writing came to, or that it has waited too long.
    fn waited<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.waited(written, cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bytes);
        self.waited(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.waited(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.waited(shut, cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[test]
    fn there_are_so_many_places_and_one_address_has_half_of_them() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = Proxies::of(&["10.0.0.0/8".parse().unwrap()]);
        let connections = Connections::of(4, proxies);
        let mut places = vec![connections.enter(address("192.0.2.1")), connections.enter(address("::ffff:192.0.2.1"))];
        assert!(connections.enter(address("192.0.2.1")).is_none(), "half is one address's");
        places.extend([connections.enter(address("192.0.2.2")), connections.enter(address("192.0.2.3"))]);
        assert!(places.iter().all(Option::is_some) && connections.count() == (4, 4));
        assert!(connections.enter(address("192.0.2.4")).is_none());
        places.clear();
        assert_eq!((connections.count(), connections.0.open().by_address.len()), ((0, 4), 0));
        let proxied: Vec<_> = (0..4).map(|_| connections.enter(address("10.1.2.3"))).collect();
        assert!(proxied.iter().all(Option::is_some), "a proxy asks for many");
    }

    #[tokio::test]
    async fn who_takes_nothing_is_gone_and_who_takes_slowly_or_says_nothing_is_not() {
        let patience = Duration::from_millis(300);
        let patient = |inner| Patient { inner, stalled: None, patience, _place: None };
        let (near, far) = duplex(1_000);
        let (mut near, begun) = (patient(near), Instant::now());
        let error = near.write_all(&[7; 5_000]).await.unwrap_err();
        assert!(error.kind() == io::ErrorKind::TimedOut && begun.elapsed() >= patience, "{error}");
        drop(far);

        let (near, mut far) = duplex(1_000);
        let mut near = patient(near);
        let writing = tokio::spawn(async move { near.write_all(&[7; 5_000]).await.map(|()| near) });
        let mut bytes = [0; 1_000];
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            far.read_exact(&mut bytes).await.unwrap();
        }
        let mut near = writing.await.unwrap().unwrap();
        // Nothing waits to be written: it may be silent for as long as it likes.
        tokio::time::sleep(2 * patience).await;
        near.write_all(b"more").await.unwrap();
    }
}
