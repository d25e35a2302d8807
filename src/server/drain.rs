//! Reading on after a request was refused: a client that is cut off while it writes may never read why.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt as _;
use tokio::time::timeout;

/// So much is still read, for so long.
const DRAIN: (u64, Duration) = (256 << 20, Duration::from_secs(5));

/// Reads on for a while and throws it away.
pub(super) async fn drain(body: &mut BodyDataStream, headers: &HeaderMap) {
    // Such a client waits for our word before it sends the body.
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let (mut left, longest) = DRAIN;
    let all = async {
        while let Some(Ok(chunk)) = body.next().await {
            left = left.saturating_sub(chunk.len() as u64);
            if left == 0 {
                return;
            }
        }
    };
    // Whether it came to its end makes no difference to the answer.
    let _ = timeout(longest, all).await;
}
