import Foundation

/// An error in words for the user. Errors of ours bring their words; those of Foundation and others, of which nobody thought,
/// are never shown as Swift spells their values.
package func words(for error: any Error) -> String {
    switch type(of: error) {
    case is any LocalizedError.Type, is CocoaError.Type, is POSIXError.Type, is NSError.Type:
        return error.localizedDescription
    case is DecodingError.Type, is EncodingError.Type: return "the data are not of the form that is expected"
    case is any CustomStringConvertible.Type: return "\(error)"
    default: return "something failed that eoss has no words for"
    }
}
