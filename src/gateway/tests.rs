use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::template::{BodyKind, Template};
use super::*;
use crate::audit::UnixMillis;

fn message(to: Address) -> Message {
    let text = Zeroizing::new("\"養和\" 1234 5678\n&=% 請開".to_owned());
    Message { id: MessageId::from_bytes([7; 16]), to, subject: "A link".to_owned(), text }
}

fn sms(url: String, body: &str, kind: BodyKind) -> Result<Sms, GatewayError> {
    let headers = [("Authorization".to_owned(), "Bearer key".to_owned())].into();
    Sms::new(SmsSettings { url, headers, body: body.to_owned(), kind })
}

/// Answers one request with this status and gives what it was: the head's lines, and the body.
fn provider(status: &'static str) -> (String, thread::JoinHandle<(Vec<String>, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/send", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_lowercase());
        }
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n")
            .unwrap();
        (head, String::from_utf8(body).unwrap())
    });
    (url, served)
}

#[test]
fn numbers_are_of_hong_kong_unless_they_say_otherwise() {
    for (text, expected) in [
        ("9123 4567", "+85291234567"),
        (" 2345-6789", "+85223456789"),
        ("+44 (20) 7946 0958", "+442079460958"),
        ("0086 138 0013 8000", "+8613800138000"),
    ] {
        assert_eq!(Address::phone(text).unwrap(), Address::Phone(expected.to_owned()), "{text}");
    }
    for text in [
        "",
        "999",
        "0912 3456",
        "9123456",
        "912345678",
        "+0123456789",
        "+1234",
        "9123 456a",
        "+1234567890123456",
        "91234567;ext=1",
        "９１２３４５６７",
    ] {
        assert!(matches!(Address::phone(text), Err(GatewayError::Address { .. })), "{text}");
    }
}

#[test]
fn a_mailbox_is_one_address_alone() {
    assert_eq!(Address::mail(" a.b@example.org ").unwrap(), Address::Mail("a.b@example.org".to_owned()));
    let long = format!("{}@example.org", "a".repeat(300));
    for text in ["", "a", "a@", "@b", "a@b@c", "a@b.org, c@d.org", "A <a@b.org>", "a@b.org\r\nBcc: c@d.org", &long] {
        assert!(matches!(Address::mail(text), Err(GatewayError::Address { .. })), "{text}");
    }
}

#[test]
fn what_a_message_says_is_nowhere() {
    let message = message(Address::phone("91234567").unwrap());
    assert_eq!(format!("{message:?}"), "Message { id: MessageId([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]), .. }");
    assert_eq!(format!("{:?}", message.to), "Phone(..)");
}

#[test]
fn words_cannot_leave_their_place() {
    let template = Template::parse(r#"{"to":"{{to}}","text":"{{ text }}","ref":"{{id}}"}"#, BodyKind::Json).unwrap();
    let filled: serde_json::Value = serde_json::from_str(&template.fill("+1", "\"},{\"a\":\"\\\n\u{1}字", "i")).unwrap();
    assert_eq!(filled["text"], "\"},{\"a\":\"\\\n\u{1}字");
    let quotes: serde_json::Value = serde_json::from_str(&template.fill("+1", "\"\"", "i")).unwrap();
    assert_eq!(quotes["text"], "\"\"");
    let template = Template::parse("to={{to}}&msg={{text}}", BodyKind::Form).unwrap();
    assert_eq!(template.fill("+852", "a b&to=1 字*-._", "i"), "to=%2B852&msg=a+b%26to%3D1+%E5%AD%97*-._");
}

#[test]
fn a_template_that_cannot_work_is_refused() {
    for (body, kind) in [
        ("{{to}}", BodyKind::Form),
        ("{{text}}", BodyKind::Form),
        ("{{to}}{{text}}{{name}}", BodyKind::Form),
        ("{{to}}{{text", BodyKind::Form),
        (r#"{"to":{{to}},"text":{{text}}}"#, BodyKind::Json),
        (r#"{"to":"{{to}}","text":"{{text}}""#, BodyKind::Json),
    ] {
        assert!(matches!(Template::parse(body, kind), Err(GatewayError::Setting { field: "sms.body", .. })), "{body}");
    }
}

#[test]
fn an_sms_is_posted_with_its_id_and_only_there() {
    let (url, served) = provider("202 Accepted");
    let gateway = sms(url, "to={{to}}&msg={{text}}&ref={{id}}", BodyKind::Form).unwrap();
    gateway.send("+85291234567", &message(Address::phone("91234567").unwrap())).unwrap();
    let (head, body) = served.join().unwrap();
    assert_eq!(head[0], "post /send http/1.1");
    for line in [
        "authorization: bearer key",
        "content-type: application/x-www-form-urlencoded",
        "idempotency-key: bwchbwchbwchbwchbwchbw",
    ] {
        assert!(head.iter().any(|found| found == line), "{line} in {head:?}");
    }
    assert!(body.starts_with("to=%2B85291234567&msg=%22%E9%A4%8A") && body.ends_with("&ref=BwcHBwcHBwcHBwcHBwcHBw"), "{body}");
}

#[test]
fn a_refusal_says_whether_it_is_of_what_was_sent_and_none_is_final() {
    for (status, wrong) in
        [("400 No", true), ("404 No", true), ("401 No", false), ("429 No", false), ("500 No", false), ("302 Found", false)]
    {
        let (url, served) = provider(status);
        let gateway = sms(url, r#"{"to":"{{to}}","text":"{{text}}"}"#, BodyKind::Json).unwrap();
        let error = gateway.send("+85291234567", &message(Address::phone("91234567").unwrap())).unwrap_err();
        served.join().unwrap();
        assert!(matches!(&error, GatewayError::Refused { kind: "SMS", .. }), "{status}: {error}");
        assert_eq!((error.is_final(), error.called_wrong().is_some()), (false, wrong), "{status}");
    }
}

#[test]
fn a_provider_that_is_down_is_tried_again() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = sms(format!("http://{closed}/"), "{{to}}{{text}}", BodyKind::Form).unwrap();
    let error = gateway.send("+85291234567", &message(Address::phone("91234567").unwrap())).unwrap_err();
    assert!(matches!(error, GatewayError::Unreachable { .. }) && !error.is_final());
    assert!(!format!("{error} {error:?}").contains("1234"));
}

#[test]
fn codes_are_sent_in_the_clear_to_nobody() {
    for url in ["http://sms.example/send", "ftp://127.0.0.1/", "sms.example", "http://127.0.0.1.example/"] {
        assert!(
            matches!(sms(url.to_owned(), "{{to}}{{text}}", BodyKind::Form), Err(GatewayError::Setting { field: "sms.url", .. })),
            "{url}"
        );
    }
    let mail = |server: &str| MailSettings {
        server: server.to_owned(),
        port: None,
        tls: Tls::Never,
        user: None,
        password: None,
        from: "clinic@example.org".to_owned(),
        authority: None,
    };
    assert!(matches!(Mail::new(mail("mail.example")), Err(GatewayError::Setting { field: "mail.tls", .. })));
    assert!(Mail::new(mail("127.0.0.1")).is_ok());
}

#[test]
fn what_has_no_gateway_waits() {
    let gateways = Gateways::new(Settings::default()).unwrap();
    let message = message(Address::mail("a@example.org").unwrap());
    assert!(!gateways.reach(&message.to));
    assert!(matches!(gateways.hand_over(&message), Err(error @ GatewayError::NoGateway { .. }) if !error.is_final()));
}

#[test]
fn tries_come_soon_and_never_stop_before_the_end() {
    let (mut at, end) = (UnixMillis(0), UnixMillis(3_600_000));
    let mut tries = 0;
    while let Some(next) = next_try(tries + 1, at, end) {
        assert!(next > at && next.0 - at.0 <= 120_000);
        (at, tries) = (next, tries + 1);
    }
    assert!((30..40).contains(&tries), "{tries} tries in an hour");
    assert!(end.0 - at.0 <= 120_000);
    assert_eq!(next_try(0, UnixMillis(5), end), Some(UnixMillis(1_005)));
    assert!(next_try(u32::MAX, UnixMillis(0), UnixMillis(u64::MAX)).is_some());
}

#[test]
fn settings_name_the_line_and_are_kept_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateways.toml");
    let write = |text: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let good = "[sms]\nurl = \"https://sms.example/\"\nbody = '{\"to\":\"{{to}}\",\"text\":\"{{text}}\"}'\n[mail]\nserver = \"mail.example\"\nfrom = \"Clinic <c@example.org>\"\n";
    write(good, 0o600);
    assert!(Gateways::new(Settings::read(&path).unwrap()).unwrap().reach(&Address::phone("91234567").unwrap()));
    write(good, 0o640);
    assert!(matches!(Settings::read(&path), Err(GatewayError::Exposed { .. })));
    write(&good.replace("server", "host"), 0o600);
    assert!(matches!(Settings::read(&path), Err(GatewayError::Form { line: 5, .. })));
    write(&format!("{good}password = \"secret"), 0o600);
    let error = Settings::read(&path).err().unwrap();
    assert!(matches!(&error, GatewayError::Form { line: 7, .. }) && !format!("{error:?}").contains("secret"), "{error:?}");
    for (added, told) in [
        ("password = 12345", "line 7: not of the form"),
        ("tls = \"12345\"", "line 7: not of the form"),
        ("port = \"12345\"", "line 7: not of the form"),
        ("pass = \"12345\"", "line 7: unknown field `pass`"),
        ("from = \"12345\"", "line 7: not of the form"),
    ] {
        write(&format!("{good}{added}\n"), 0o600);
        let error = Settings::read(&path).err().unwrap();
        let shown = format!("{error} {error:?}");
        assert!(error.to_string().contains(told) && !shown.contains("12345"), "{shown}");
    }
    write(&good.replace("from", "#from"), 0o600);
    let error = Settings::read(&path).err().unwrap().to_string();
    assert!(error.ends_with("missing field `from`"), "{error}");
}
