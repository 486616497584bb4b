#include "frontend/passes/collect_c_definitions.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/passes/evaluate_constant.h"
#include "frontend/passes/resolve_type_spec.h"
#include "frontend/passes/substitute_defines.h"

namespace awl::frontend {
namespace {

AWL_DIAGNOSTIC(kCRedefinition, Error, "c-redefinition", "'{}' is defined twice", std::string);
AWL_DIAGNOSTIC(kCIncompleteType, Error, "c-incomplete-type",
               "a member cannot be of type '{}', whose members are not known", std::string);
AWL_DIAGNOSTIC(kCBadBitfield, Error, "c-bad-bitfield",
               "the width of a bitfield of type '{}' must be a constant from 0 to {}", std::string,
               uint32_t);
AWL_DIAGNOSTIC(kCBadEnumerator, Error, "c-bad-enumerator", "the value of '{}' is not a constant",
               std::string);
AWL_DIAGNOSTIC(kCDuplicateMember, Error, "c-duplicate-member", "'{}' has two members called '{}'",
               std::string, std::string);
AWL_DIAGNOSTIC(kCTooLarge, Error, "c-too-large", "'{}' is larger than {} bytes", std::string,
               uint64_t);

constexpr uint64_t kMaxStructBytes = 1u << 28;

uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

// Where the next member of a struct goes, by the rules of the C ABIs that Linux uses on
// little-endian machines: a bitfield does not cross a boundary of its own type.
class Layout {
 public:
  Layout(bool is_union, bool is_packed) : is_union_(is_union), is_packed_(is_packed) {}

  uint32_t place(uint64_t bytes, uint64_t alignment) {
    alignment = is_packed_ ? 1 : std::max<uint64_t>(alignment, 1);
    alignment_ = std::max(alignment_, alignment);
    return take(align_up(start(), alignment * 8), bytes * 8);
  }

  uint32_t place_bits(uint64_t bits, uint64_t type_bytes) {
    uint64_t position = start();
    uint64_t unit = type_bytes * 8;
    if (bits == 0) {
      return take(align_up(position, unit), 0);
    }
    if (!is_packed_) {
      if (position / unit != (position + bits - 1) / unit) position = align_up(position, unit);
      alignment_ = std::max(alignment_, type_bytes);
    }
    return take(position, bits);
  }

  uint64_t alignment() const { return alignment_; }
  uint64_t size() const { return align_up(align_up(end_, 8) / 8, alignment_); }
  void align_to(uint64_t alignment) { alignment_ = std::max(alignment_, alignment); }

 private:
  uint64_t start() const { return is_union_ ? 0 : end_; }
  uint32_t take(uint64_t position, uint64_t bits) {
    end_ = std::max(end_, position + bits);
    return static_cast<uint32_t>(position);
  }

  bool is_union_, is_packed_;
  uint64_t end_ = 0;  // bits
  uint64_t alignment_ = 1;
};

class Collector {
 public:
  explicit Collector(Compilation &compilation)
      : diagnostics_(compilation.diagnostics),
        types_(compilation.types),
        sources_(compilation.sources) {}

  void run(ast::Program &program) {
    for (const ast::CDefinition *definition : program.c_definitions) {
      switch (definition->definition) {
        case ast::CDefinition::Kind::kStruct:
        case ast::CDefinition::Kind::kUnion:
          define_struct(*definition);
          break;
        case ast::CDefinition::Kind::kEnum:
          define_enum(*definition);
          break;
        case ast::CDefinition::Kind::kTypedef:
          define_typedef(*definition);
          break;
        case ast::CDefinition::Kind::kInclude:
        case ast::CDefinition::Kind::kDefine:
        case ast::CDefinition::Kind::kUndef:
          break;
      }
    }
    for (const ast::CDefinition *definition : program.c_definitions) {
      if (definition->definition == ast::CDefinition::Kind::kDefine) define_type_alias(*definition);
    }
  }

 private:
  static std::string shown_name(const ast::CDefinition &definition) {
    const char *keyword = definition.definition == ast::CDefinition::Kind::kUnion  ? "union "
                          : definition.definition == ast::CDefinition::Kind::kEnum ? "enum "
                                                                                   : "struct ";
    return keyword + (definition.name.empty() ? std::string("(unnamed)") : definition.name);
  }

  // False when the name is taken, after an error where it is by something else: two files that a
  // script imports may both define what they share.
  bool claim(const ast::CDefinition &definition) {
    if (definition.name.empty()) return true;
    std::string shown = shown_name(definition);
    auto [entry, is_new] = defined_.try_emplace(shown, definition.span);
    if (!is_new && words(definition.span) != words(entry->second)) {
      diagnostics_.emit(definition.span, kCRedefinition, shown).note(entry->second, "first here");
    }
    return is_new;
  }

  // A text without what does not count between its words.
  std::string words(Span span) const {
    std::string result;
    bool is_apart = false;
    for (const char c : sources_.text(span)) {
      const bool is_space = std::isspace(static_cast<unsigned char>(c)) != 0;
      if (!is_space && is_apart && !result.empty()) result += ' ';
      if (!is_space) result += c;
      is_apart = is_space;
    }
    return result;
  }

  // The StructDef of a tag of the script, made when it is first named.
  StructDef *script_struct(const std::string &tag, bool is_union) {
    if (!tag.empty()) {
      auto found = structs_.find({tag, is_union});
      if (found != structs_.end()) return found->second;
    }
    StructDef *def = types_.new_struct();
    def->name = tag;
    def->is_union = is_union;
    if (!tag.empty()) {
      structs_[{tag, is_union}] = def;
      types_.define_struct(tag, is_union, def);
    }
    return def;
  }

  // One definition may be met several times, as the type of several typedefs.
  TypeRef define_struct(const ast::CDefinition &definition) {
    auto [entry, is_new] = types_of_.try_emplace(&definition, nullptr);
    if (is_new) {
      bool is_forward = definition.members.empty() && !definition.name.empty();
      entry->second = is_forward ? declare_struct(definition) : make_struct(definition);
    }
    return entry->second;
  }

  // `struct s;` says nothing about a struct that is known.
  TypeRef declare_struct(const ast::CDefinition &definition) {
    bool is_union = definition.definition == ast::CDefinition::Kind::kUnion;
    if (TypeRef known = types_.find_struct(definition.name, is_union)) return known;
    return types_.struct_type(script_struct(definition.name, is_union));
  }

  TypeRef make_struct(const ast::CDefinition &definition) {
    bool is_union = definition.definition == ast::CDefinition::Kind::kUnion;
    if (!claim(definition)) return types_.find_struct(definition.name, is_union);
    StructDef *def = script_struct(definition.name, is_union);
    Layout layout(is_union, definition.is_packed);
    for (const ast::CDefinition::Member &member : definition.members) {
      add_member(definition, member, layout, def);
    }
    if (definition.aligned) layout.align_to(definition.aligned);
    if (layout.size() > kMaxStructBytes) {
      diagnostics_.emit(definition.span, kCTooLarge, shown_name(definition), kMaxStructBytes);
      return nullptr;
    }
    def->size = static_cast<uint32_t>(layout.size());
    def->alignment = static_cast<uint32_t>(layout.alignment());
    def->is_complete = true;
    return types_.update_struct(def);
  }

  void add_member(const ast::CDefinition &definition, const ast::CDefinition::Member &member,
                  Layout &layout, StructDef *def) {
    TypeRef type = member_type(member);
    if (!type) return;
    bool is_taken = !member.name.empty() &&
                    std::any_of(def->members.begin(), def->members.end(),
                                [&](const auto &other) { return other.name == member.name; });
    if (is_taken) {
      diagnostics_.emit(member.span, kCDuplicateMember, shown_name(definition), member.name);
      return;
    }
    StructDef::Member result;
    result.name = member.name;
    result.type = type;
    if (member.bit_size) {
      std::optional<uint32_t> bits = bitfield_width(*member.bit_size, type);
      if (!bits) return;
      result.bit_offset = layout.place_bits(*bits, type->size);
      result.bit_size = *bits;
      // Bitfields without a name are but padding.
      if (*bits == 0 || member.name.empty()) return;
    } else {
      TypeRef innermost = type;
      while (innermost->kind == TypeKind::kArray) innermost = innermost->element;
      bool is_incomplete =
          innermost->kind == TypeKind::kVoid ||
          (innermost->is_struct() && !types_.complete(innermost->struct_def).is_complete);
      uint64_t size = types_.size_of(type);
      if (is_incomplete || size > kMaxStructBytes) {
        diagnostics_.emit(member.span, kCIncompleteType, to_string(type));
        return;
      }
      result.bit_offset = layout.place(size, innermost->alignment);
    }
    def->members.push_back(std::move(result));
  }

  TypeRef member_type(const ast::CDefinition::Member &member) {
    if (!member.nested) return member.type ? resolve(*member.type) : nullptr;
    bool is_enum = member.nested->definition == ast::CDefinition::Kind::kEnum;
    TypeRef base = is_enum ? define_enum(*member.nested) : define_struct(*member.nested);
    if (!base) return nullptr;
    return apply_modifiers(types_, diagnostics_, base, member.modifiers, member.span,
                           TypeDialect::kC);
  }

  std::optional<uint32_t> bitfield_width(const ast::Expr &width, TypeRef type) {
    uint32_t most = type->is_integral() ? type->size * 8 : 0;
    std::optional<int64_t> bits = evaluate_constant(types_, width);
    if (most == 0 || !bits || *bits < 0 || *bits > most) {
      diagnostics_.emit(width.span, kCBadBitfield, to_string(type), most);
      return std::nullopt;
    }
    return static_cast<uint32_t>(*bits);
  }

  // As C does, naming a struct that nobody has defined declares it: a pointer to it is a pointer.
  TypeRef resolve(const ast::TypeSpec &spec) {
    bool is_struct = spec.base == ast::TypeSpec::Base::kStruct;
    bool is_union = spec.base == ast::TypeSpec::Base::kUnion;
    if ((is_struct || is_union) && !types_.find_struct(spec.name, is_union)) {
      script_struct(spec.name, is_union);
    }
    return resolve_type_spec(types_, diagnostics_, spec, nullptr, TypeDialect::kC);
  }

  TypeRef define_enum(const ast::CDefinition &definition) {
    auto [entry, is_new] = types_of_.try_emplace(&definition, nullptr);
    if (is_new) entry->second = make_enum(definition);
    return entry->second;
  }

  TypeRef make_enum(const ast::CDefinition &definition) {
    if (!claim(definition)) return types_.find_enum(definition.name);
    EnumDef *def = types_.new_enum();
    def->name = definition.name;
    int64_t next = 0, least = 0, most = 0;
    for (const ast::CDefinition::Enumerator &enumerator : definition.enumerators) {
      if (enumerator.value) {
        std::optional<int64_t> value = evaluate_constant(types_, *enumerator.value);
        if (!value) {
          diagnostics_.emit(enumerator.value->span, kCBadEnumerator, enumerator.name);
          continue;
        }
        next = *value;
      }
      least = std::min(least, next);
      most = std::max(most, next);
      def->values.push_back({enumerator.name, next});
      // Later enumerators may use it; its type follows when the enum's is known.
      types_.define_constant(enumerator.name, next);
      next = static_cast<int64_t>(static_cast<uint64_t>(next) + 1);
    }
    def->is_signed = least < 0;
    bool is_wide = least < INT32_MIN || most > (def->is_signed ? INT32_MAX : UINT32_MAX);
    def->size = is_wide ? 8 : definition.is_packed ? packed_enum_size(least, most) : 4;
    for (const EnumDef::Value &value : def->values) {
      types_.define_constant(value.name, value.value, def);
    }
    if (!def->name.empty()) types_.define_enum(def->name, def);
    return types_.enum_type(def);
  }

  static uint32_t packed_enum_size(int64_t least, int64_t most) {
    if (least < 0)
      return least >= INT8_MIN && most <= INT8_MAX     ? 1
             : least >= INT16_MIN && most <= INT16_MAX ? 2
                                                       : 4;
    return most <= UINT8_MAX ? 1 : most <= UINT16_MAX ? 2 : 4;
  }

  void define_typedef(const ast::CDefinition &definition) {
    TypeRef type = nullptr;
    if (definition.nested) {
      bool is_enum = definition.nested->definition == ast::CDefinition::Kind::kEnum;
      type = is_enum ? define_enum(*definition.nested) : define_struct(*definition.nested);
      // `typedef struct {…} name;`: messages and printers call it by the only name it has.
      if (type && type->is_struct() && type->struct_def->name.empty()) {
        type->struct_def->name = definition.name;
      }
    } else if (definition.type) {
      type = resolve(*definition.type);
    }
    if (type) types_.define_typedef(definition.name, type);
  }

  // `#define T struct foo` and `#define T uint64`: a name for a type.
  void define_type_alias(const ast::CDefinition &definition) {
    if (definition.is_function_like || definition.text.empty()) return;
    std::string text = definition.text;
    text.erase(0, text.find_first_not_of(" \t"));
    text.erase(text.find_last_not_of(" \t") + 1);
    TypeRef type = nullptr;
    if (text.starts_with("struct ")) {
      type = types_.find_struct(text.substr(7), false);
    } else if (text.starts_with("union ")) {
      type = types_.find_struct(text.substr(6), true);
    } else if (text.starts_with("enum ")) {
      type = types_.find_enum(text.substr(5));
    } else if (text.find_first_of("0123456789\"(") != 0) {
      type = types_.find_named(text);
    }
    if (type) types_.define_typedef(definition.name, type);
  }

  Diagnostics &diagnostics_;
  TypeStore &types_;
  const SourceManager &sources_;
  std::map<const ast::CDefinition *, TypeRef> types_of_;
  std::map<std::string, Span> defined_;
  std::map<std::pair<std::string, bool>, StructDef *> structs_;
};

}  // namespace

void collect_c_definitions(Compilation &compilation, ast::Program &program) {
  // Sizes of arrays and values of enumerators may use what is defined.
  substitute_defines(compilation, program);
  Collector(compilation).run(program);
}

}  // namespace awl::frontend
