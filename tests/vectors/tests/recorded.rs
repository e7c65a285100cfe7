//! Every recorded vector, natively. The browser runs the same code compiled to wasm.

#[cfg(test)]
mod recorded {
    use std::collections::BTreeSet;

    use vectors::{TOPICS, run};

    /// Runs one topic's file.
    macro_rules! topic {
        ($name:ident, $topic:literal) => {
            #[test]
            fn $name() {
                let json = include_str!(concat!("../data/", $topic, "/", $topic, ".json"));
                let report = run($topic, json);
                assert!(report.failures.is_empty(), "{:#?}", report.failures);
                assert!(report.checks > 0, "nothing was checked");
                assert!(TOPICS.contains(&$topic));
            }
        };
    }

    topic!(
        constants_of_every_network_are_those_of_full_nodes,
        "networks"
    );
    topic!(
        addresses_are_read_written_and_refused_as_recorded,
        "addresses"
    );
    topic!(keys_derive_as_in_other_wallets, "keys");
    topic!(blocks_hash_sign_and_serialize_as_in_full_nodes, "blocks");
    topic!(work_reaches_the_recorded_difficulties, "work");
    topic!(
        signatures_are_accepted_exactly_as_by_the_network,
        "signatures"
    );
    topic!(
        every_account_amount_and_block_of_the_rpc_is_read_and_written_again,
        "rpc-samples"
    );
    topic!(
        every_account_amount_block_and_vote_of_the_websocket_is_read_and_written_again,
        "websocket-samples"
    );
    topic!(votes_hash_verify_and_encode_as_recorded, "votes");
    topic!(
        handshakes_are_answered_and_verified_as_recorded,
        "handshake"
    );
    topic!(messages_decode_and_encode_as_recorded, "messages");
    topic!(
        the_shipped_weights_are_those_of_full_nodes,
        "bootstrap-weights-live"
    );

    #[test]
    fn every_folder_of_data_is_a_topic() {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
        let folders: BTreeSet<String> = std::fs::read_dir(data)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        let topics = TOPICS.iter().map(|topic| (*topic).to_owned()).collect();
        assert_eq!(folders, topics);
    }

    #[test]
    fn a_topic_without_rows_or_with_unknown_fields_fails() {
        assert!(!run("signatures", "[]").failures.is_empty());
        assert!(
            !run("addresses", r#"{"valid": [], "invalid": []}"#)
                .failures
                .is_empty()
        );
        assert!(!run("addresses", r#"{"more": []}"#).failures.is_empty());
        assert!(!run("weather", "[]").failures.is_empty());
    }

    #[test]
    fn a_wrong_value_is_reported_with_its_row() {
        let json = r#"{"valid": [], "invalid": [{"input": "nano_1", "reason": "too long"}]}"#;
        let report = run("addresses", json);
        let found = report
            .failures
            .iter()
            .any(|line| line.starts_with("invalid[0] "));
        assert!(found, "{:#?}", report.failures);
    }
}
