use std::io::{Read as _, Seek as _, SeekFrom};

use axum::body::Body;
use futures_util::stream;

use super::*;

const LONGEST: u64 = 3 << 20;

fn scratch() -> Scratch {
    Scratch::create(&std::env::temp_dir()).unwrap()
}

fn request(kind: &str, body: impl Into<Body>) -> Request {
    Request::builder().header(header::CONTENT_TYPE, kind).body(body.into()).unwrap()
}

async fn read_with(request: Request, disk: impl Fn() -> Result<(), OpenAiError>) -> Result<Form, OpenAiError> {
    read(request, scratch(), LONGEST, disk).await
}

async fn read_body(body: impl Into<Body>) -> Result<Form, OpenAiError> {
    read_with(request("multipart/form-data; boundary=XX", body), || Ok(())).await
}

fn part(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn whole(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), b"--XX--\r\n".to_vec()].concat()
}

/// The body in pieces of this length, as a network may give it.
fn in_pieces(bytes: Vec<u8>, length: usize) -> Body {
    let pieces: Vec<_> = bytes.chunks(length).map(|piece| Ok::<_, io::Error>(piece.to_vec())).collect();
    Body::from_stream(stream::iter(pieces))
}

fn code(form: Result<Form, OpenAiError>) -> String {
    let Err(error) = form else { panic!("it was taken") };
    serde_json::json!(error.document())["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn fields_and_file_come_whole_in_any_pieces() {
    let content: Vec<u8> = (0..2_500_000_u32).map(|index| (index.wrapping_mul(index) / 7) as u8).collect();
    let bytes = whole(&[part("model", b"m"), file("../../etc/passwd", &content), part("prompt", "頭痛".as_bytes())]);
    for length in [1 << 16, 1000, bytes.len()] {
        let form = read_body(in_pieces(bytes.clone(), length)).await.unwrap();
        let fields: Vec<_> = form.fields.iter().map(|(name, value)| (*name, value.reveal())).collect();
        assert_eq!(fields, [(Parameter::Model, "m"), (Parameter::Prompt, "頭痛")]);
        let (mut kept, mut file) = (Vec::new(), form.file.unwrap());
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut kept).unwrap();
        assert!(kept == content, "pieces of {length}");
    }
    let small = whole(&[file("a", b"abc")]);
    let form = read_body(in_pieces(small, 1)).await.unwrap();
    assert!(form.fields.is_empty() && form.file.is_some());
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    for kind in ["application/json", "multipart/form-data", "multipart/mixed; boundary=XX", "multipart/form-data; boundary=", "x"]
    {
        assert_eq!(code(read_with(request(kind, "x"), || Ok(())).await), "invalid_form", "{kind}");
    }
    let none = Request::builder().body(Body::from("x")).unwrap();
    assert_eq!(code(read_with(none, || Ok(())).await), "invalid_form");
    assert_eq!(code(read_with(request("multipart/form-data; boundary=YY", whole(&[])), || Ok(())).await), "invalid_form");
}

#[tokio::test]
async fn a_form_that_breaks_off_anywhere_is_refused() {
    let bytes = whole(&[part("model", b"m"), file("a.wav", b"abcdef")]);
    let last = bytes.len() - 4;
    for length in 0..last {
        let cut = bytes.get(..length).unwrap().to_vec();
        assert_eq!(code(read_body(in_pieces(cut, 7)).await), "invalid_form", "{length} bytes");
    }
    let failing = stream::iter([Ok(bytes.get(..40).unwrap().to_vec()), Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
    assert_eq!(code(read_body(Body::from_stream(failing)).await), "invalid_form");
}

#[tokio::test]
async fn nothing_is_taken_without_bounds() {
    let many: Vec<_> = (0..100).map(|_| part("timestamp_granularities[]", b"word")).collect();
    assert_eq!(code(read_body(whole(&many)).await), "invalid_form");
    assert_eq!(code(read_body(whole(&[part("prompt", &vec![b'x'; 17 << 10])])).await), "invalid_value");
    assert_eq!(code(read_body(in_pieces(whole(&[part("prompt", &vec![b'x'; 1 << 20])]), 4096)).await), "invalid_value");
    let large = whole(&[file("a", &vec![0; LONGEST as usize + 1])]);
    assert_eq!(code(read_body(in_pieces(large.clone(), 1 << 16)).await), "file_too_large");
    assert_eq!(code(read_body(large).await), "file_too_large");
    let name = "n".repeat(200_000);
    for bomb in [
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n"),
        format!("--XX\r\n{}\r\n", "A: b\r\n".repeat(40_000)),
        format!("--XX\r\nContent-Disposition: {}", "x".repeat(200_000)),
        "-".repeat(200_000),
    ] {
        assert_eq!(code(read_body(in_pieces(bomb.into_bytes(), 1000)).await), "invalid_form");
    }
    let stated = Request::builder().header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX");
    let stated = stated.header(header::CONTENT_LENGTH, "99999999999").body(Body::from("--XX")).unwrap();
    assert_eq!(code(read_with(stated, || Ok(())).await), "file_too_large");
}

#[tokio::test]
async fn words_to_expect_are_many_parts_and_not_without_end() {
    let words =
        |count: usize| (0..count).map(|number| part("keywords[]", format!("word {number}").as_bytes())).collect::<Vec<_>>();
    for length in [100, 1 << 20] {
        let form = read_body(in_pieces(whole(&words(MOST_WORDS)), length)).await.unwrap();
        assert_eq!(form.fields.len(), MOST_WORDS);
        assert!(form.fields.iter().all(|(name, _)| *name == Parameter::Keywords));
    }
    for count in [MOST_WORDS + 1, 100_000] {
        let Err(error) = read_body(in_pieces(whole(&words(count)), 1 << 16)).await else { panic!("{count} words are taken") };
        let document = serde_json::json!(error.document());
        assert_eq!((&document["error"]["code"], &document["error"]["param"]), (&"invalid_value".into(), &"keywords[]".into()));
        assert!(error.to_string().contains("more than 1000 words"), "{error}");
    }
}

#[tokio::test]
async fn strange_parts_are_refused() {
    for (bytes, expected) in [
        (whole(&[file("a", b"x"), file("b", b"y")]), "invalid_value"),
        (whole(&[part("prompt", b"\xff\xfe")]), "invalid_value"),
        (whole(&[part("sing", b"a song")]), "unknown_parameter"),
        (b"--XX\r\n\r\nno name\r\n--XX--\r\n".to_vec(), "invalid_form"),
        (b"--XX\r\nContent-Disposition: form-data; name=\"model\r\n\r\nx\r\n--XX--\r\n".to_vec(), "invalid_form"),
        (b"--XX\r\n\x00: \x01\r\n\r\nx\r\n--XX--\r\n".to_vec(), "invalid_form"),
    ] {
        assert_eq!(code(read_body(bytes.clone()).await), expected, "{}", String::from_utf8_lossy(&bytes));
    }
    assert!(read_body(whole(&[])).await.unwrap().file.is_none());
}

#[tokio::test]
async fn a_full_disk_refuses_the_file() {
    let form = whole(&[file("a", b"x")]);
    let full = read_with(request("multipart/form-data; boundary=XX", form), || Err(OpenAiError::DiskFull)).await;
    assert_eq!(code(full), "disk_full");
}

#[tokio::test]
async fn a_client_that_sends_a_byte_now_and_then_is_not_waited_for() {
    let drip = stream::unfold(0, |number| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Ok::<_, io::Error>(if number == 0 { b"--XX\r\n".to_vec() } else { b"a".to_vec() }), number + 1))
    });
    let (head, body) = request("multipart/form-data; boundary=XX", Body::from_stream(drip)).into_parts();
    let mut body = Metered::new(body, LONGEST, Duration::from_millis(100));
    let taken = timeout(Duration::from_secs(20), take(&head.headers, &mut body, scratch(), LONGEST, || Ok(()))).await;
    assert_eq!(code(taken.expect("it waits on")), "timeout");
}

#[tokio::test]
async fn a_client_that_falls_silent_is_not_waited_for() {
    let begun = stream::once(async { Ok::<_, io::Error>(b"--XX\r\n".to_vec()) });
    let (head, body) =
        request("multipart/form-data; boundary=XX", Body::from_stream(begun.chain(stream::pending()))).into_parts();
    let mut body = Metered::new(body, LONGEST, Duration::from_millis(50));
    let taken = timeout(Duration::from_secs(20), take(&head.headers, &mut body, scratch(), LONGEST, || Ok(()))).await;
    assert_eq!(code(taken.expect("it waits on")), "timeout");
}
