//! Room for open files: each connection is one.

/// Files that the program has open besides connections: the database's, recordings, models.
const OTHERS: u64 = 256;

/// Raises the limit of open files as far as this process may, and gives as many of the connections as it leaves room for. That it leaves
/// room for fewer is told.
pub fn room_for(connections: u32) -> usize {
    let wanted = u64::from(connections);
    let room = raised().map_or(wanted, |most| most.saturating_sub(OTHERS).max(1));
    if room < wanted {
        eprintln!("cantoscribe: {room} connections instead of {wanted}: the system allows no more open files (ulimit -n)");
    }
    usize::try_from(wanted.min(room)).unwrap_or(usize::MAX)
}

/// The limit as it is then; nothing where there is none.
#[cfg(unix)]
fn raised() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

#[cfg(not(unix))]
fn raised() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_connections_than_open_files() {
        assert_eq!(room_for(10), 10);
        let most = raised().map_or(usize::MAX, |most| usize::try_from(most).unwrap());
        assert!(room_for(u32::MAX) < most);
    }
}
