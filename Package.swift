// swift-tools-version: 6.1
import PackageDescription

/// Every source target, with what it imports. Imports go one way, downwards in this list's reverse.
/// `EOSS_ONLY=LuaBridge,Compute` in the environment keeps those targets, what they need and their tests alone:
/// a sanitizer build of a layer then compiles nothing else.
let only = Context.environment["EOSS_ONLY"]?.split(separator: ",").map(String.init)

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")

let systemLibraries: [Target] = [
    .systemLibrary(name: "CLuaSystem", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CMessageDigest", pkgConfig: "libmd", providers: [.apt(["libmd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
]

let cTargets: [Target] = [
    .target(name: "CLua", dependencies: ["CLuaSystem", "CSpelling"]),
    .target(name: "CLivePage"),
    .target(name: "CEditLine", linkerSettings: [.linkedLibrary("edit")]),
    .target(name: "CSignals"),
    .target(name: "CSpelling"),
    .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
    .target(name: "CStdlib"),
    .target(
        name: "CKernels",
        linkerSettings: [
            .linkedLibrary("m"), .linkedLibrary("mvec", .when(platforms: [.linux])),
            .linkedLibrary("pthread"), .linkedLibrary("dl"),
        ]),
]

/// `EOSS_OPTIMIZED=Graph,Compute` optimizes those targets in a debug build, too, with every check on: graphs and plans are what tests wait
/// for (`make test`). Without it there are no such flags, for nobody may depend on a package that has them.
let optimized = Context.environment["EOSS_OPTIMIZED"]?.split(separator: ",").map(String.init) ?? []
let optimizing: [SwiftSetting] = [.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))]

let swiftTargets: [Target] = [
    .target(name: "LuaBridge", dependencies: ["CLua", "CSpelling"]),
    .target(name: "Graph"),
    .target(name: "Compute", dependencies: ["Graph", "CKernels"]),
    .target(name: "Networks", dependencies: ["Compute", "Graph"]),
    .target(name: "Datasets", dependencies: ["Compute", "Graph", "CZlib"]),
    .target(name: "Objectives", dependencies: ["Networks", "Compute", "Graph"]),
    .target(name: "Curvature", dependencies: ["Objectives", "Networks", "Datasets", "Compute", "Graph"]),
    .target(name: "Dynamics", dependencies: ["Curvature", "Objectives", "Networks", "Datasets", "Compute", "Graph"]),
    .target(
        name: "Experiments",
        dependencies: [
            "Curvature", "Dynamics", "Objectives", "Networks", "Datasets", "Compute", "Graph", "CSQLite",
            "CMessageDigest", "CSpelling", grdb,
        ]),
    .target(name: "Reports", dependencies: ["Compute", "Graph"]),
    .target(name: "RunFiles", dependencies: ["Experiments", "Reports", "Dynamics", "Datasets", "Compute", "Graph"]),
    .target(name: "Sweeps", dependencies: ["RunFiles", "Experiments", "Reports"]),
    .target(
        name: "LivePage", dependencies: ["RunFiles", "Experiments", "Dynamics", "CLivePage", flyingFox, flyingSocks]),
    .target(
        name: "ScriptAPI",
        dependencies: [
            "LuaBridge", "Experiments", "Reports", "RunFiles", "Sweeps", "Curvature", "Dynamics", "Objectives",
            "Networks",
            "Datasets", "Compute", "Graph", "CStdlib",
        ]),
    .executableTarget(
        name: "eoss",
        dependencies: [
            "ScriptAPI", "Experiments", "Reports", "RunFiles", "Sweeps", "LivePage", "Objectives", "Compute",
            "LuaBridge", "CEditLine", "CSignals",
            argumentParser,
        ]),
    .executableTarget(
        name: "eoss-bench",
        dependencies: [
            "ScriptAPI", "Experiments", "Curvature", "Dynamics", "Objectives", "Networks", "Datasets", "Compute",
            "Graph", "LuaBridge", "CLua",
        ],
        path: "Benchmarks/eoss-bench"),
]

for target in swiftTargets where optimized.contains(target.name) { target.swiftSettings = optimizing }

let tested = [
    "LuaBridge", "Graph", "Compute", "Networks", "Datasets", "Objectives", "Curvature", "Dynamics", "Experiments",
    "Reports", "RunFiles", "Sweeps", "LivePage", "ScriptAPI",
]
/// What a test target imports beside the target it tests.
let testImports: [String: [Target.Dependency]] = [
    // Graph's tests look at what becomes of its programs on this machine, too.
    "LuaBridge": ["CLua", "CLuaSystem"], "Graph": ["Compute"],
    "Networks": ["Datasets", "Objectives", "SmallNetworks"], "Objectives": ["Datasets", "SmallNetworks"],
    "Compute": ["CKernels"], "Experiments": [grdb, "CAllocationCount"], "RunFiles": [grdb],
    "LivePage": ["RunFiles", "Experiments"],
]

var testTargets: [Target] = tested.map { name in
    .testTarget(name: name + "Tests", dependencies: [.byName(name: name)] + (testImports[name] ?? []))
}
/// Networks that several test targets work on.
testTargets.append(
    .target(name: "SmallNetworks", dependencies: ["Networks", "Graph"], path: "Tests/Support/SmallNetworks"))
/// Counts allocations of a thread.
testTargets.append(.target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"))
testTargets.append(.testTarget(name: "Scripts", dependencies: ["eoss", "ScriptAPI", "Experiments", "CStdlib"]))

/// Opens damaged run files (`make fuzz`); built only by its name, for it wants a fuzzer to be linked with.
let fuzzing: [Target] =
    only?.contains("RunFileFuzzer") != true
    ? []
    : [
        .target(name: "CFuzzer", path: "Tests/Support/CFuzzer"),
        .executableTarget(
            name: "RunFileFuzzer", dependencies: ["CFuzzer", "RunFiles", "Experiments"],
            path: "Tests/Support/RunFileFuzzer"),
    ]

var targets = systemLibraries + cTargets + swiftTargets + testTargets + fuzzing

func names(_ dependencies: [Target.Dependency]) -> [String] {
    dependencies.compactMap { dependency in
        switch dependency {
        case .targetItem(let name, _), .byNameItem(let name, _), .productItem(let name, _, _, _): name
        @unknown default: nil
        }
    }
}

var packages: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
]

if let only {
    var kept = Set(only + only.map { $0 + "Tests" })
    var grew = true
    while grew {
        let before = kept.count
        for target in targets where kept.contains(target.name) { kept.formUnion(names(target.dependencies)) }
        grew = kept.count > before
    }
    targets = targets.filter { kept.contains($0.name) }
    packages = []
    if kept.contains("ArgumentParser") {
        packages.append(.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"))
    }
    if kept.contains("FlyingFox") {
        packages.append(.package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"))
    }
    if kept.contains("GRDB") { packages.append(.package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0")) }
}

let package = Package(
    name: "eoss",
    products: only == nil
        ? [
            .executable(name: "eoss", targets: ["eoss"]),
            .library(name: "LuaBridge", targets: ["LuaBridge"]),
            .library(name: "Experiments", targets: ["Experiments"]),
        ] : [],
    dependencies: packages,
    targets: targets,
    swiftLanguageModes: [.v6]
)
