//! `cantoscribe serve`: the socket, the page and what the page asks for.
//!
//! Invariant: no request is answered whose Host and Origin are not the address served.
