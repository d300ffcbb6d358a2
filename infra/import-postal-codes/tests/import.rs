//! Files, into the local cloud's table.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use import_postal_codes::{Broken, Progress, Watch, beside, import};
use local::client::sdk_config;
use local::cloud::{Cloud, Options};
use local::seed;
use store::{Store, Tables};

const SAMPLE: &str = include_str!("sample.txt");

#[derive(Default)]
struct Told {
    came: Vec<u64>,
    broken: Vec<String>,
}

impl Watch for Told {
    fn came(&mut self, progress: &Progress) {
        self.came.push(progress.lines);
    }

    fn broken(&mut self, line: u64, why: &Broken) {
        self.broken.push(format!("{line}: {why}"));
    }
}

async fn cloud() -> Cloud {
    let template = include_str!("../../template.yaml");
    let options = Options::new(template, local::built_in::functions());
    Cloud::start(options).await.unwrap()
}

/// A file of its own for a test; it is gone with its test.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("waybill-import-{name}-{}.txt", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        for path in [&self.0, &beside(&self.0)] {
            drop(std::fs::remove_file(path));
        }
    }
}

async fn run(store: &Store, file: &Path) -> (anyhow::Result<Progress>, Told) {
    let mut told = Told::default();
    let done = import(store, "here places", file, &mut told).await;
    (done, told)
}

#[tokio::test]
async fn broken_rows_are_told_by_line_and_the_rest_is_imported() {
    let cloud = cloud().await;
    let store = seed::store(&cloud, "import").unwrap();
    // A row in another encoding, and a line break of two bytes.
    let mut file = SAMPLE.as_bytes().to_vec();
    file.extend(b"DE\t80331\tM\xfcnchen\tBayern\tBY\t\t\t\t\t48.1345\t11.5710\t6\r\n");
    file.extend(b"AT\t1010\tWien\tWien\t09\t\t\t\t\t48.2077\t16.3705\t6\r\n");
    let path = TestFile::new("broken", "");
    std::fs::write(&path.0, file).unwrap();
    let (done, told) = run(&store, &path.0).await;
    let done = done.unwrap();
    assert_eq!((done.lines, done.imported, done.broken), (16, 9, 7));
    assert_eq!(
        told.broken,
        [
            "3: expected 12 columns divided by tabs, found 4",
            r#"5: column 1 (country): expected an ISO 3166-1 alpha-2 country code, found "Germany""#,
            r#"6: column 2 (postal code): expected 1 to 20 letters and digits, found "---""#,
            r#"11: column 10 (latitude): expected degrees from -90 to 90, found "155.8642""#,
            r#"12: column 11 (longitude): expected degrees from -180 to 180, found "-9,1333""#,
            "14: expected 12 columns divided by tabs, found 1",
            "15: expected UTF-8, found another byte after 10 bytes",
        ]
    );
    for (country, area, point) in [
        ("DE", "22765", Some((536, 99))),
        ("DE", "20095", Some((536, 100))),
        // The last of two rows stands.
        ("DE", "99099", Some((510, 110))),
        ("GB", "SW1A", Some((515, -1))),
        ("GB", "M1", Some((535, -22))),
        ("PT", "1000002", Some((387, -91))),
        ("AT", "1010", Some((482, 164))),
        ("DE", "20097", None),
        ("GB", "G1", None),
        ("PT", "1000001", None),
        ("DE", "80331", None),
    ] {
        let found = store.postal_code(country, area).await.unwrap();
        assert_eq!(found, point, "{country} {area}");
    }
    let countries = store.postal_countries().await.unwrap();
    let expected = ["AT", "DE", "GB", "PT"].map(String::from);
    assert_eq!(countries, BTreeSet::from(expected));
    assert!(
        !beside(&path.0).exists(),
        "nothing is left of a whole import"
    );
    cloud.stop().await;
}

/// A network that fails for good after so many requests; as if the process were killed there.
#[derive(Debug, Clone)]
struct Failing<I> {
    inner: I,
    left: Arc<AtomicU32>,
}

impl HttpClient for Failing<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Failing {
            inner: self.inner.http_connector(settings, components),
            left: self.left.clone(),
        })
    }
}

impl HttpConnector for Failing<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let one_less = |left: u32| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        {
            Ok(_) => self.inner.call(request),
            Err(_) => HttpConnectorFuture::ready(Err(ConnectorError::io("gone".into()))),
        }
    }
}

/// A store whose network lets so many requests through.
fn failing_after(cloud: &Cloud, requests: u32) -> Store {
    let aws = sdk_config(cloud.services(), "import");
    let failing = Failing {
        inner: aws.http_client().unwrap(),
        left: Arc::new(AtomicU32::new(requests)),
    };
    let tables = Tables {
        places: "waybill-places".into(),
        ..Tables::default()
    };
    Store::new(&aws.into_builder().http_client(failing).build(), tables)
}

fn rows(count: u32) -> String {
    let row = |n: u32| {
        let (code, north) = (10_000 + n, n % 90);
        format!("FR\t{code}\tTown {n}\tRegion\t01\t\t\t\t\t{north}.04\t2.0\t1\n")
    };
    (0..count).map(row).collect()
}

#[tokio::test]
async fn an_import_that_was_broken_off_goes_on_where_it_was() {
    const ROWS: u32 = 1_000;
    // Until its tries are spent an import takes a minute; time that passes by itself is not waited for.
    tokio::time::pause();
    let cloud = cloud().await;
    let file = TestFile::new("again", &rows(ROWS));
    // Eight batches of 25 rows and the country; eight more; and some of the third eight.
    let (done, told) = run(&failing_after(&cloud, 20), &file.0).await;
    let why = done.unwrap_err().to_string();
    assert!(why.contains("run this again"), "{why}");
    assert_eq!(told.came, [0, 200, 400]);
    assert!(beside(&file.0).exists());

    let store = seed::store(&cloud, "import").unwrap();
    let (done, told) = run(&store, &file.0).await;
    let done = done.unwrap();
    assert_eq!(told.came, [400, 600, 800, 1_000]);
    let counted = (done.lines, done.imported, done.broken);
    assert_eq!(
        counted,
        (u64::from(ROWS), u64::from(ROWS), 0),
        "all of the file"
    );
    assert!(!beside(&file.0).exists());
    for n in 0..ROWS {
        let code = (10_000 + n).to_string();
        let found = store.postal_code("FR", &code).await.unwrap();
        assert_eq!(found, Some(((n % 90 * 10) as i32, 20)), "{code}");
    }
    cloud.stop().await;
}

#[tokio::test]
async fn another_file_another_table_and_nonsense_begin_anew() {
    let file = TestFile::new("anew", &rows(2));
    let mut known = Progress::load(&file.0, "here").unwrap();
    known.lines = 1;
    known.save(&file.0).unwrap();
    assert_eq!(Progress::load(&file.0, "here").unwrap(), known);
    assert_eq!(Progress::load(&file.0, "there").unwrap().lines, 0);
    std::fs::write(&file.0, rows(3)).unwrap();
    assert_eq!(Progress::load(&file.0, "here").unwrap().lines, 0);
    std::fs::write(beside(&file.0), "{").unwrap();
    assert_eq!(Progress::load(&file.0, "here").unwrap().lines, 0);
    Progress::forget(&file.0).unwrap();
    Progress::forget(&file.0).unwrap();
    let missing = file.0.with_extension("missing");
    assert!(Progress::load(&missing, "here").is_err());
}
