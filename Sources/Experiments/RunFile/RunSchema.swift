/// The tables of a run file. A file whose schema differs by one character from that of its version is refused, so a change
/// here is a change of ``version``, with the schema before it kept in ``objects(of:)`` for the files that there are.
enum RunSchema {
    /// SQLite's `application_id`: the letters "eoss".
    static let applicationID: Int32 = 0x656F_7373

    /// SQLite's `user_version`: the version of the schema below.
    static let version: Int32 = 3

    /// One object of the schema: the statement that makes it stands word for word in the file's schema table.
    struct Object {
        let type: String
        let name: String
        let sql: String
    }

    static let objects = objects(of: version)

    /// The objects of each version from 1 on, by their names.
    static let objectsByName = (1...version).map { version in
        Dictionary(uniqueKeysWithValues: objects(of: version).map { ($0.name, $0) })
    }

    /// The schema of a version, 1 to ``version``. Version 2 added operations, 95 % intervals and lists to measurements; version 3 what
    /// a run needs to be opened again: its state, checkpoints in parts, data of events, one measurement a step, and chunks.
    static func objects(of version: Int32) -> [Object] {
        let measured = [measurement(version >= 2 ? ", operations REAL, low REAL, high REAL" : ""), byStep(version)]
        let own =
            version >= 3 ? [run, event, checkpoint, checkpointPart, chunk, chunkByStep] : [run2, event2, checkpoint2]
        return own + common + measured + (version >= 2 ? [list] : [])
    }

    private static func measurement(_ added: String) -> Object {
        // SQLite has no NaN: it stores null, and no −0. `nan` says which numbers were that (``Measurement/NaNColumns``).
        table(
            "measurement",
            """
            id INTEGER PRIMARY KEY, series INTEGER NOT NULL, step INTEGER NOT NULL, value REAL, standard_error REAL, \
            samples INTEGER, products INTEGER, residual REAL, seconds REAL\(added), nan INTEGER, extra TEXT
            """)
    }

    /// What is measured again, by a run that went on from an earlier step, takes the place of what was there.
    private static func byStep(_ version: Int32) -> Object {
        index("measurement_by_step", on: "measurement (series, step)", unique: version >= 3)
    }

    /// `numbers` are the doubles of a list that belongs to a measurement, low byte first.
    private static let list = table(
        "array",
        """
        measurement INTEGER NOT NULL, name TEXT NOT NULL, numbers BLOB NOT NULL, PRIMARY KEY (measurement, name)
        """)

    /// Values of a series that have nothing beside them (``MeasurementChunk``): `numbers` are doubles, low byte first. `steps`, 64-bit
    /// integers alike, is null where steps go from `first` to `last` in equal strides. `operations` are doubles, one for each value or
    /// one that all have, NaN for none; `seconds` those of all together.
    private static let chunk = table(
        "chunk",
        """
        id INTEGER PRIMARY KEY, series INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, \
        count INTEGER NOT NULL, steps BLOB, numbers BLOB NOT NULL, operations BLOB, seconds REAL
        """)
    private static let chunkByStep = index("chunk_by_step", on: "chunk (series, last)", unique: true)

    // `closed` is null while the run goes on, and in a file whose process was killed; `state` is one of ``RunStatus/State``. `name` is
    // the file's, `given_name` the script's, who may have found it taken. `process` is who writes: host, number, time of its start.
    private static let run = table(
        "run",
        """
        id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, given_name TEXT NOT NULL, uuid TEXT NOT NULL, \
        session TEXT NOT NULL, created TEXT NOT NULL, closed TEXT, eoss_version TEXT NOT NULL, parent_uuid TEXT, \
        parent_name TEXT, parent_step INTEGER, state TEXT NOT NULL, step INTEGER NOT NULL, alert TEXT, \
        process TEXT NOT NULL, heartbeat TEXT NOT NULL
        """)
    private static let run2 = table(
        "run",
        """
        id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, uuid TEXT NOT NULL, created TEXT NOT NULL, \
        closed TEXT, eoss_version TEXT NOT NULL, parent_uuid TEXT, parent_name TEXT, parent_step INTEGER
        """)

    /// `data` is a JSON object: what programs read, as `message` is what people do.
    private static let event = table(
        "event",
        """
        id INTEGER PRIMARY KEY, step INTEGER NOT NULL, time TEXT NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL, data TEXT
        """)
    private static let event2 = table(
        "event", "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL")

    /// A safetensors file of `size` bytes, cut into parts, since one value holds a gigabyte at most. `pinned` is 1 where it was asked
    /// for by its step, and stays when others make room.
    private static let checkpoint = table(
        "checkpoint",
        """
        id INTEGER PRIMARY KEY, step INTEGER NOT NULL UNIQUE, created TEXT NOT NULL, pinned INTEGER NOT NULL, size INTEGER NOT NULL
        """)
    private static let checkpointPart = table(
        "checkpoint_part",
        "checkpoint INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (checkpoint, part)")
    private static let checkpoint2 = table(
        "checkpoint", "id INTEGER PRIMARY KEY, step INTEGER NOT NULL, created TEXT NOT NULL, bytes BLOB NOT NULL")

    private static let common: [Object] = [
        table("environment", "key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL"),
        // One row: the parameters of the experiment, a JSON object.
        table("parameters", "id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL"),
        // `source` is text, or a blob where it is not UTF-8; `sha256` in hexadecimal. The first row is the script itself.
        table("script", "id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, source ANY NOT NULL"),
        table("series", "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE"),
        table("note", "id INTEGER PRIMARY KEY, created TEXT NOT NULL, text TEXT NOT NULL"),
        table(
            "figure",
            "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, mime TEXT NOT NULL, created TEXT NOT NULL, bytes BLOB NOT NULL"
        ),
    ]

    private static func table(_ name: String, _ columns: String) -> Object {
        Object(type: "table", name: name, sql: "CREATE TABLE \(name) (\(columns)) STRICT")
    }

    private static func index(_ name: String, on columns: String, unique: Bool = false) -> Object {
        Object(type: "index", name: name, sql: "CREATE \(unique ? "UNIQUE " : "")INDEX \(name) ON \(columns)")
    }
}
