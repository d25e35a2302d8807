use std::io::Write as _;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn text(text: &str) -> Vec<u8> {
    [&[TEXT][..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

/// A tensor named `w` of six values, as `torch.save` writes it: of this class, and with these sizes, strides and offset.
fn entry(class: &str, shape: [u8; 2], strides: [u8; 2], offset: u8) -> Vec<u8> {
    let pair = |[a, b]: [u8; 2]| vec![b'K', a, b'K', b, 0x86];
    let storage = [text("storage"), format!("c{class}\n").into_bytes(), text("0"), text("cpu"), vec![b'K', 6]].concat();
    [
        text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        storage,
        b"tQK".to_vec(),
        vec![offset],
        pair(shape),
        pair(strides),
        b"\x89ccollections\nOrderedDict\n)RtR".to_vec(),
    ]
    .concat()
}

/// A dictionary with these entries, and the end.
fn dictionary(entries: &[u8]) -> Vec<u8> {
    [b"\x80\x02}(".as_slice(), entries, b"u."].concat()
}

const FLOATS: &str = "torch\nFloatStorage";
const VALUES: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn checkpoint(pickle: &[u8]) -> Vec<u8> {
    let values: Vec<u8> = VALUES.iter().flat_map(|value| value.to_le_bytes()).collect();
    archive(&[("m/data.pkl", pickle), ("m/byteorder", b"little"), ("m/data/0", &values)], CompressionMethod::Stored)
}

fn read(bytes: &[u8]) -> Result<HashMap<String, TensorInfo>, String> {
    tensors(Path::new("model.pt"), bytes).map_err(|error| error.to_string())
}

#[test]
fn a_tensor_is_found_where_it_lies() {
    let bytes = checkpoint(&dictionary(&entry(FLOATS, [1, 4], [9, 1], 2)));
    let found = read(&bytes).unwrap();
    let info = &found["w"];
    assert_eq!((info.dtype, info.shape.as_slice()), (Dtype::F32, [1, 4].as_slice()));
    let (start, end) = info.data_offsets;
    let values: Vec<f32> = bytes[start..end].as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    assert_eq!(values, VALUES[2..]);
}

#[test]
fn tensors_may_be_wrapped() {
    let flat = entry(FLOATS, [2, 3], [3, 1], 0);
    for wrapper in WRAPPERS {
        let inner = [b"}(".as_slice(), &flat, b"u"].concat();
        let epoch = [text("epoch"), vec![b'K', 7]].concat();
        let found = read(&checkpoint(&dictionary(&[epoch, text(wrapper), inner].concat()))).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["w"], "{wrapper}");
    }
}

#[test]
fn a_class_that_weights_do_not_need_is_refused_by_name() {
    for (program, name) in [
        (b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.".as_slice(), "os.system"),
        (b"\x80\x02cbuiltins\neval\n.", "builtins.eval"),
        (b"\x80\x02}(X\x01\0\0\0wctorch.nn\nLinear\n)\x81u.", "torch.nn.Linear"),
        (b"\x80\x02ctorch\nFloatStorage2\n.", "torch.FloatStorage2"),
    ] {
        let refused = read(&checkpoint(program)).unwrap_err();
        assert!(refused.contains("model.pt") && refused.contains(&format!("`{name}`")), "{refused}");
    }
}

#[test]
fn tensors_that_are_not_there_are_refused_by_name() {
    for (entry, problem) in [
        (entry(FLOATS, [2, 3], [1, 2], 0), "one piece"),
        (entry(FLOATS, [2, 3], [3, 1], 1), "fewer"),
        (entry(FLOATS, [2, 4], [4, 1], 0), "fewer"),
        (entry("torch\nDoubleStorage", [2, 3], [3, 1], 0), "fewer"),
        (entry("collections\nOrderedDict", [2, 3], [3, 1], 0), "malformed"),
    ] {
        let refused = read(&checkpoint(&dictionary(&entry))).unwrap_err();
        assert!(refused.contains("model.pt") && refused.contains("`w`") && refused.contains(problem), "{refused}");
    }
    let pickle = dictionary(&entry(FLOATS, [2, 3], [3, 1], 0));
    let lacking = archive(&[("m/data.pkl", &pickle)], CompressionMethod::Stored);
    assert!(read(&lacking).unwrap_err().contains("`m/data/0`"));
    let compressed = archive(&[("m/data.pkl", &pickle), ("m/data/0", &[0; 24])], CompressionMethod::Deflated);
    assert!(read(&compressed).unwrap_err().contains("compressed"));
}

#[test]
fn what_is_cut_short_or_no_checkpoint_is_refused() {
    let pickle = dictionary(&entry(FLOATS, [2, 3], [3, 1], 0));
    for length in 0..pickle.len() {
        assert!(read(&checkpoint(&pickle[..length])).is_err(), "{length} bytes of the pickle");
    }
    let whole = checkpoint(&pickle);
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        let refused = read(&whole[..length]).unwrap_err();
        assert!(refused.contains("model.pt") && refused.contains("archive"), "{refused}");
    }
    let other = archive(&[("m/other", b"")], CompressionMethod::Stored);
    let big = archive(&[("m/data.pkl", &pickle), ("m/byteorder", b"big")], CompressionMethod::Stored);
    for (bytes, problem) in [(other, "data.pkl"), (big, "big-endian"), (checkpoint(b"\x80\x02K\x01."), "no tensors")] {
        assert!(read(&bytes).unwrap_err().contains(problem));
    }
    for program in [b"\x80\x02\x8a\x09123456789.".as_slice(), b"\x80\x02X\xff\xff\xff\xffx", b"R.", b"(t(u.", b"\x80\x04\x93."] {
        assert!(read(&checkpoint(program)).is_err(), "{program:?}");
    }
}

#[test]
fn what_is_nested_too_deep_or_grows_too_large_is_refused() {
    let named = |value: Vec<u8>| checkpoint(&dictionary(&[text("x"), value, entry(FLOATS, [2, 3], [3, 1], 0)].concat()));
    let tuples = |depth: usize| named([vec![b'N'], vec![0x85; depth]].concat());
    assert_eq!(read(&tuples(40)).unwrap().len(), 1);
    for (deep, what) in [
        (tuples(2_000_000), "tuples"),
        (named([b"]".repeat(100_000), b"a".repeat(99_999)].concat()), "lists"),
        (named([b"}N".repeat(100_000), vec![b'N'], b"s".repeat(100_000)].concat()), "dictionaries"),
        (named([b"Nq\0".as_slice(), &b"h\0\x85q\0".repeat(100_000)].concat()), "copies"),
        (named([b"N".as_slice(), &b"Q".repeat(100_000)].concat()), "persistent ids"),
        (named([b"N".repeat(100_001), b"R".repeat(50_000), b"b".repeat(50_000)].concat()), "calls"),
        (named([b"(".repeat(100_000), b"t".repeat(100_000)].concat()), "tuples to a mark"),
    ] {
        let refused = read(&deep).unwrap_err();
        assert!(refused.contains("model.pt") && refused.contains("64 deep"), "{what}: {refused}");
    }
    // Twice as much each time, only forty times.
    let doubled = read(&named([b"Nq\0".as_slice(), &b"h\0h\0\x86q\0".repeat(40)].concat())).unwrap_err();
    assert!(doubled.contains("model.pt") && doubled.contains("values"), "{doubled}");
    // Each copy of a text takes its length again.
    let long = "x".repeat(1 << 20);
    let copied = |times: usize| read(&named([text(&long), b"q\0".to_vec(), b"h\0".repeat(times)].concat()));
    let refused = copied(64).unwrap_err();
    assert!(refused.contains("model.pt") && refused.contains("values"), "{refused}");
}
