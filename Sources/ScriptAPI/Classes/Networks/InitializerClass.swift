import LuaBridge
import Networks

final class InitializerObject: LuaObject {
    let rule: InitializationRule
    let text: String

    init(_ text: String, _ rule: InitializationRule) {
        self.rule = rule
        self.text = text
    }

    /// The rule that a value stands for: an initialiser's, or the same number everywhere; nil for nil.
    static func rule(_ value: LuaValue) throws -> InitializationRule? {
        if value.isNil { return nil }
        if let number = Double.read(value) { return .constant(number) }
        return read(value)?.rule
    }
}

extension ScriptHost {
    /// `initializer`: how the elements of a parameter are drawn.
    func initializerClass() -> ObjectClass<InitializerObject> {
        let initializers = ObjectClass<InitializerObject>(
            "initializer", "How a parameter's elements are drawn; a value.")
        initializers.description { $0.text }
        return initializers
    }
}
