//! `vkd order` gives what the library gives, printed and in files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;

use common::{cpu, ended, golden, lines, open, printed, refusal, sequences, to, vkd, Folder};
use serde_json::Value;
use vkd::context::Destination;
use vkd::{Heads, Input, Request, Rule};

fn starts(starts: &[u32]) -> Request {
    Request { starts: Some(starts.to_vec()), ..Request::default() }
}

#[test]
fn a_single_sequence_is_one_item_a_line() {
    let corpus = golden("odd_257x7.npy");
    let request = Request { length: 100, ..starts(&[3]) };
    let expected = sequences(&corpus, &request);
    let out = printed(args!["order", corpus, "--starts", "3", "--length", "100"]);
    assert_eq!(out, lines(&expected.items, 1));
}

#[test]
fn several_sequences_are_a_line_each_whatever_says_their_starts() {
    let (folder, corpus) = (Folder::new(), golden("odd_257x7.npy"));
    folder.text("starts", "7\n10-12\n\n256\n");
    let file = format!("0,@{}", folder.path("starts").display());
    let expected = lines(&sequences(&corpus, &starts(&[0, 7, 10, 11, 12, 256])).items, 257);
    for list in ["0,7,10-12,256", &*file] {
        assert_eq!(printed(args!["order", corpus, "--starts", list]), expected, "{list}");
    }
    let all = lines(&sequences(&corpus, &Request::default()).items, 257);
    assert_eq!(printed(args!["order", corpus, "-o", "-"]), all);
    assert_eq!(printed(args!["order", corpus, "--starts", "all"]), all);
}

#[test]
fn every_option_means_what_it_does_in_the_library() {
    let corpus = golden("wide_norms_300x33.npy");
    let embeddings = open(&corpus);
    let input = Input { center: true, ..embeddings.input() };
    for name in Rule::NAMES {
        let mut line =
            args!["order", corpus, "--center", "--rule", name, "--length", "20"].to_vec();
        let lambda = (name == "mmr").then_some(0.7);
        line.extend(lambda.map(|lambda: f64| format!("--lambda={lambda}").into()));
        line.extend(args!["--heads", "1,2;3,4", "--values", "--json"]);
        let heads = Some(Heads { items: vec![1, 2, 3, 4], length: 2 });
        let rule = Rule::new(name, lambda).unwrap();
        let request = Request { heads, rule, length: 20, values: true, ..Request::default() };
        let expected = cpu().sequences(&input, &request).unwrap();
        let out = printed(line);
        let rows: Vec<Value> = out.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
        assert_eq!(rows.len(), 2);
        for (number, row) in rows.iter().enumerate() {
            let numbers = |name: &str| row[name].as_array().unwrap().iter();
            let items = numbers("items").map(|item| item.as_u64().unwrap() as u32);
            assert!(items.eq(expected.items[number * 20..][..20].iter().copied()), "{name}");
            let values = numbers("values").map(|value| value.as_f64().unwrap() as f32);
            assert!(values.eq(expected.values[number * 20..][..20].iter().copied()), "{name}");
            assert_eq!(row["row"], number);
            assert!(row.get("ids").is_none());
        }
    }
}

#[test]
fn a_single_sequence_has_its_values_behind_tabs() {
    let corpus = golden("odd_257x7.npy");
    let request = Request { length: 3, values: true, ..starts(&[5]) };
    let expected = sequences(&corpus, &request);
    let both = expected.items.iter().zip(&expected.values);
    let text: String = both.map(|(item, value)| format!("{item}\t{value}\n")).collect();
    let line = args!["order", corpus, "--starts", "5", "--length", "3", "--values"];
    assert_eq!(printed(line), text);
    let line = args!["order", corpus, "--starts", "5,6", "--length", "3", "--values"];
    assert!(refusal(2, line).contains("add --json"));
}

#[test]
fn ids_name_items_in_and_out() {
    let folder = Folder::new();
    let poems = folder.poems();
    let order = |starts: &str| printed(args!["order", poems, "--starts", starts, "--length", "2"]);
    let of = |start: u32, names: [&str; 5]| {
        let found = sequences(&poems, &Request { length: 2, ..starts(&[start]) });
        found.items.iter().map(|&item| format!("{}\n", names[item as usize])).collect::<String>()
    };
    let names = ["sea", "sky", "cat", "dog", "42"];
    assert_eq!(
        [order("cat"), order("2"), order("id:cat")].map(|out| out == of(2, names)),
        [true; 3]
    );
    assert_eq!(order("id:42"), of(4, names));
    folder.text("wanted", "id:42\nsea\n");
    let file = format!("@{}", folder.path("wanted").display());
    assert!(order(&file).starts_with("42\t"), "{}", order(&file));
    let json: Value =
        serde_json::from_str(&printed(args!["order", poems, "--starts", "sea", "--json"])).unwrap();
    assert_eq!((&json["ids"][0], &json["items"][0]), (&"sea".into(), &0.into()));
    // Ids of a file of their own go before those of the corpus.
    folder.text("others", "a\nb\nc\nd\ne\n");
    let line =
        args!["order", poems, "--ids", folder.path("others"), "--starts", "c", "--length", "2"];
    assert_eq!(printed(line), of(2, ["a", "b", "c", "d", "e"]));
}

#[test]
fn a_file_is_the_librarys_to_the_byte_and_is_extended_by_the_same_command() {
    let folder = Folder::new();
    let (poems, ours, theirs) = (folder.poems(), folder.path("ours"), folder.path("theirs"));
    let embeddings = open(&poems);
    let mut file = to(&theirs);
    file.ids = embeddings.ids().cloned();
    let request = Request { values: true, rule: Rule::Farthest, ..Request::default() };
    let job = cpu().start(&embeddings.input(), &request, Destination::File(&file)).unwrap();
    job.into_result().unwrap();
    let order = |more: &[&str]| {
        let mut line = args!["order", poems, "-o", ours, "--values", "--rule", "farthest"].to_vec();
        line.extend(more.iter().map(Into::into));
        vkd(line)
    };
    assert_eq!(ended(order(&["--length", "3"])).printed(), "");
    assert!(fs::read(&ours).unwrap() != fs::read(&theirs).unwrap());
    let report = ended(order(&["--json"])).printed();
    assert_eq!(serde_json::from_str::<Value>(&report).unwrap()["count"], 5);
    assert!(fs::read(&ours).unwrap() == fs::read(&theirs).unwrap());
    // Other results are refused by the option that would replace them.
    let said = refusal(1, args!["order", poems, "-o", ours]);
    assert!(said.contains("its rule is farthest") && said.contains("(--overwrite)"), "{said}");
    ended(vkd(args!["order", poems, "-o", ours, "--overwrite"])).printed();
    assert!(fs::read(&ours).unwrap() != fs::read(&theirs).unwrap());
    assert_eq!(folder.names(), ["ours", "poems.json", "theirs"]);
}

#[test]
fn a_vulkan_driver_gives_the_same() {
    let corpus = golden("half_1000x48.npy");
    let line = args!["order", corpus, "--starts", "0-2", "--length", "50"];
    let mut command = vkd(line.clone());
    command.env_remove("VKD_DEVICE").args(["--device", "llvmpipe"]);
    assert_eq!(ended(command).printed(), printed(line));
}

#[test]
fn much_is_only_printed_where_it_is_asked_for() {
    let corpus = golden("odd_257x7.npy");
    let said = refusal(2, args!["order", corpus]);
    assert!(said.contains("257 rows of 257 items") && said.contains("--starts"), "{said}");
    assert_eq!(printed(args!["order", corpus, "--length", "2"]).lines().count(), 257);
    assert_eq!(printed(args!["order", corpus, "--starts", "0-256"]).lines().count(), 257);
}
