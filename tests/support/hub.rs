//! A server on the loopback that speaks as much of the hub as a pull needs, and misbehaves on request.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the server treats the transfer of a file. What it says about the file beforehand is always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// Waits before each answer.
    Slow(Duration),
    /// The first transfer of each file ends after so many bytes.
    BreaksOnceAt(usize),
    /// Each transfer stops, with the connection open, after so many bytes.
    HangsAt(usize),
    /// One byte is changed.
    Alters,
    /// Sends the whole file whatever range is asked for; the first transfer breaks off after so many bytes.
    IgnoresRanges(usize),
}

/// A running server; it takes at most 200 connections.
pub struct Hub {
    pub endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
    manner: Arc<Mutex<Manner>>,
}

impl Hub {
    pub fn start(files: &[(&str, Vec<u8>)], manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let files: HashMap<String, Vec<u8>> = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
        let (requests, manner) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(manner)));
        let shared = (Arc::new(files), Arc::clone(&requests), Arc::clone(&manner));
        thread::spawn(move || {
            for stream in listener.incoming().take(200).flatten() {
                let (files, requests, manner) = shared.clone();
                thread::spawn(move || answer(stream, &files, &requests, &manner));
            }
        });
        Self { endpoint, requests, manner }
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Transfers of a file so far: the range asked for, or nothing.
    pub fn transfers(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name} ");
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .filter_map(|request| request.strip_prefix(&prefix))
            .filter(|range| *range != "bytes=0-0")
            .map(str::to_owned)
            .collect()
    }

    /// All requests so far.
    pub fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn answer(mut stream: TcpStream, files: &HashMap<String, Vec<u8>>, requests: &Mutex<Vec<String>>, manner: &Mutex<Manner>) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split_whitespace().nth(1).unwrap().to_owned();
    let name = path.rsplit('/').next().unwrap().to_owned();
    let range =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("range: ").map(str::to_owned)).unwrap_or_default();
    let transfer = range != "bytes=0-0";
    let first = {
        let mut requests = requests.lock().unwrap();
        let prefix = format!("{name} ");
        let first = !requests.iter().any(|earlier| earlier.starts_with(&prefix) && !earlier.ends_with("bytes=0-0"));
        requests.push(format!("{name} {range}"));
        first
    };
    if path.contains("/silent/") {
        thread::sleep(Duration::from_secs(8));
        return;
    }
    let manner = *manner.lock().unwrap();
    if let Manner::Slow(pause) = manner {
        thread::sleep(pause);
    }
    let Some(content) = files.get(&name).filter(|_| !path.contains("/missing/")) else {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    };
    let mut content = content.clone();
    if manner == Manner::Alters && transfer {
        content[0] ^= 1;
    }
    let honours = !(transfer && matches!(manner, Manner::IgnoresRanges(_)));
    let bounds = range.strip_prefix("bytes=").filter(|_| honours).and_then(|range| range.split_once('-'));
    let (start, end) = match bounds {
        Some((start, end)) => (start.parse().unwrap(), end.parse::<usize>().map_or(content.len(), |end| end + 1)),
        None => (0, content.len()),
    };
    let status = if bounds.is_some() { "206 Partial Content" } else { "200 OK" };
    let etag = if content.len() > 1000 { "x-linked-etag: \"sha-unknown\"\r\n" } else { "" };
    let header = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\nETag: \"0123\"\r\n{etag}X-Repo-Commit: {}\r\nConnection: close\r\n\r\n",
        end - start,
        end - 1,
        content.len(),
        "0123456789".repeat(4)
    );
    let body = &content[start..end];
    let sent = match manner {
        Manner::BreaksOnceAt(bytes) | Manner::IgnoresRanges(bytes) if transfer && first => &body[..bytes.min(body.len())],
        Manner::HangsAt(bytes) if transfer => &body[..bytes.min(body.len())],
        _ => body,
    };
    let _ = stream.write_all(header.as_bytes()).and_then(|()| stream.write_all(sent)).and_then(|()| stream.flush());
    if matches!(manner, Manner::HangsAt(_)) && sent.len() < body.len() {
        thread::sleep(Duration::from_secs(8));
    }
    let _ = stream.shutdown(Shutdown::Both);
}
