import Experiments
import Foundation

/// An event file of TensorBoard: a record a step, with a scalar for each series. Scalars have 32 bits there.
///
/// Records are TensorFlow's (`tensorflow/core/lib/io/record_writer.h`), messages those of `tensorflow/core/util/event.proto` and
/// `summary.proto`. A run file knows the hour of its events alone: between them time goes evenly with the steps.
struct TensorBoardWriter {
    private let sink: any ByteSink
    private let times: [(step: Int, time: Date)]
    /// Of the first of them that is not before the step last written.
    private var later = 0

    private init(_ sink: any ByteSink, _ times: [(step: Int, time: Date)]) { (self.sink, self.times) = (sink, times) }

    static func write(_ reader: RunFileReader, _ names: [ExportedName], to sink: any ByteSink) throws {
        var writer = TensorBoardWriter(sink, try reader.times())
        var version = Message()
        version.add(1, double: reader.created.timeIntervalSince1970)
        version.add(3, bytes: Array("brain.Event:2".utf8))
        try sink.write(TFRecord.bytes(of: version.bytes))
        let table = try StepTable(reader, names)
        while let rows = try table.next() { try writer.write(rows, names) }
    }

    /// The name of an event file: TensorBoard takes those that have `tfevents` in them.
    static func fileName(_ reader: RunFileReader) -> String {
        "events.out.tfevents.\(Int(max(reader.created.timeIntervalSince1970, 0))).run"
    }

    private mutating func write(_ rows: TableRows, _ names: [ExportedName]) throws {
        guard case .integers(let steps) = rows.columns[0] else { return }
        var records: [UInt8] = []
        for (row, step) in steps.enumerated() {
            guard let step else { continue }
            var summary = Message()
            for (name, column) in zip(names, rows.columns.dropFirst()) {
                guard case .numbers(let values) = column, let value = values[row] else { continue }
                var scalar = Message()
                scalar.add(1, bytes: Array(name.written.utf8))
                scalar.add(2, float: Float(value))
                summary.add(1, bytes: scalar.bytes)
            }
            var event = Message()
            event.add(1, double: seconds(at: step))
            event.add(2, integer: step)
            event.add(5, bytes: summary.bytes)
            records += TFRecord.bytes(of: event.bytes)
        }
        try sink.write(records)
    }

    /// Seconds since 1970, of steps that ascend.
    private mutating func seconds(at step: Int) -> Double {
        while later < times.count - 1, times[later].step < step { later += 1 }
        let (a, b) = (times[max(later - 1, 0)], times[later])
        let (start, end) = (a.time.timeIntervalSince1970, b.time.timeIntervalSince1970)
        guard step > a.step, b.step > a.step else { return step <= a.step ? start : end }
        let share = min((Double(step) - Double(a.step)) / (Double(b.step) - Double(a.step)), 1)
        return start + share * (end - start)
    }

    /// A message of protocol buffers.
    private struct Message {
        private(set) var bytes: [UInt8] = []

        mutating func add(_ field: UInt64, double: Double) {
            bytes.append(varint: field << 3 | 1)
            bytes.append(littleEndian: double.bitPattern)
        }

        mutating func add(_ field: UInt64, float: Float) {
            bytes.append(varint: field << 3 | 5)
            bytes.append(littleEndian: float.bitPattern)
        }

        mutating func add(_ field: UInt64, integer: Int) {
            bytes.append(varint: field << 3)
            bytes.append(varint: UInt64(bitPattern: Int64(integer)))
        }

        mutating func add(_ field: UInt64, bytes contents: [UInt8]) {
            bytes.append(varint: field << 3 | 2)
            bytes.append(varint: UInt64(contents.count))
            bytes += contents
        }
    }
}

/// TensorFlow's framing of records: length and contents, each with its checksum.
enum TFRecord {
    static func bytes(of contents: [UInt8]) -> [UInt8] {
        var record: [UInt8] = []
        record.reserveCapacity(contents.count + 16)
        record.append(littleEndian: UInt64(contents.count))
        record.append(littleEndian: masked(CRC32C.checksum(record)))
        record += contents
        record.append(littleEndian: masked(CRC32C.checksum(contents)))
        return record
    }

    /// So that a checksum of bytes that hold checksums is none of those.
    private static func masked(_ checksum: UInt32) -> UInt32 { (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8 }
}

/// The cyclic redundancy check of Castagnoli, Bräuer & Herrmann, IEEE Trans. Commun. 41 (1993); RFC 3720, B.4.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
}
