/// The tables of a run file. A file whose schema differs by one character from that of its version is refused, so a change
/// here is a change of ``version``, with the schema before it kept in ``objects(of:)`` for the files that there are.
enum RunSchema {
    /// SQLite's `application_id`: the letters "eoss".
    static let applicationID: Int32 = 0x656F_7373

    /// SQLite's `user_version`: the version of the schema below.
    static let version: Int32 = 2

    /// One object of the schema: the statement that makes it stands word for word in the file's schema table.
    struct Object {
        let type: String
        let name: String
        let sql: String
    }

    static let objects = objects(of: version)

    /// The schema of a version, 1 to ``version``. Version 2 added operations, 95 % intervals and lists to measurements.
    static func objects(of version: Int32) -> [Object] {
        let measured = [measurement(version >= 2 ? ", operations REAL, low REAL, high REAL" : ""), byStep]
        return common + measured + (version >= 2 ? [list] : [])
    }

    private static func measurement(_ added: String) -> Object {
        // SQLite has no NaN: it stores null. `nan` says which nulls were NaN (``Measurement/NaNColumns``).
        table(
            "measurement",
            """
            id INTEGER PRIMARY KEY, series INTEGER NOT NULL, step INTEGER NOT NULL, value REAL, standard_error REAL, \
            samples INTEGER, products INTEGER, residual REAL, seconds REAL\(added), nan INTEGER, extra TEXT
            """)
    }

    private static let byStep = index("measurement_by_step", on: "measurement (series, step)")

    /// `numbers` are the doubles of a list that belongs to a measurement, low byte first.
    private static let list = table(
        "array",
        """
        measurement INTEGER NOT NULL, name TEXT NOT NULL, numbers BLOB NOT NULL, PRIMARY KEY (measurement, name)
        """)

    private static let common: [Object] = [
        // `closed` is null while the run goes on, and in a file whose process was killed.
        table(
            "run",
            """
            id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, uuid TEXT NOT NULL, created TEXT NOT NULL, \
            closed TEXT, eoss_version TEXT NOT NULL, parent_uuid TEXT, parent_name TEXT, parent_step INTEGER
            """),
        table("environment", "key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL"),
        // One row: the parameters of the experiment, a JSON object.
        table("parameters", "id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL"),
        // `source` is text, or a blob where it is not UTF-8; `sha256` in hexadecimal. The first row is the script itself.
        table("script", "id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, source ANY NOT NULL"),
        table("series", "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE"),
        table("event", "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL"),
        // `bytes` is a safetensors file.
        table(
            "checkpoint", "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, created TEXT NOT NULL, bytes BLOB NOT NULL"),
        table("note", "id INTEGER PRIMARY KEY, created TEXT NOT NULL, text TEXT NOT NULL"),
        table(
            "figure",
            "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, mime TEXT NOT NULL, created TEXT NOT NULL, bytes BLOB NOT NULL"
        ),
    ]

    private static func table(_ name: String, _ columns: String) -> Object {
        Object(type: "table", name: name, sql: "CREATE TABLE \(name) (\(columns)) STRICT")
    }

    private static func index(_ name: String, on columns: String) -> Object {
        Object(type: "index", name: name, sql: "CREATE INDEX \(name) ON \(columns)")
    }
}
