// The types of the language.
//
// Types are immutable and interned in a TypeStore: two equal types are one object, so they are
// compared by address. Integers and pointers are what C has; strings, buffers, tuples and records
// are values of a size known at compile time; the rest (stacks, symbols, addresses, times) are
// small values that only the printer can turn into text; aggregations live in maps alone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace awl::frontend {

enum class TypeKind {
  kVoid,
  kBool,
  kInteger,
  kEnum,     // an integer that prints as its enumerator's name
  kString,   // NUL-terminated bytes in `size` bytes, the NUL included
  kBuffer,   // 4-byte length, then `count` bytes
  kPointer,  // `element` in `address_space`
  kArray,    // `count` times `element`
  kStruct,   // C struct or union, see StructDef
  kTuple,    // `fields` without names
  kRecord,   // `fields` with names
  kKernelStack,
  kUserStack,  // `stack`
  kKernelSymbol,
  kUserSymbol,  // an address, printed as a symbol
  kInet,        // 20 bytes: u32 family, 16 bytes address in network order
  kMacAddress,  // 6 bytes
  kUsername,    // u32 uid, printed as a name
  kTimestamp,   // u64 ns since boot, printed by `format`
  kCgroupPath,  // u64 id; `format` is the filter
  kProbeName,
  kProbeType,  // u32 id of the probe, printed as text
  kCount,
  kSum,
  kMin,
  kMax,
  kAvg,
  kStats,
  kHist,
  kLhist,
  kTseries,  // aggregations
};

// kPacket: an address is an offset in the packet that a program is run for.
enum class AddressSpace { kNone, kKernel, kUser, kBpf, kPacket };

class Type;
using TypeRef = const Type *;

// A C struct or union: from the kernel's BTF (fields are then read with CO-RE relocations), from
// definitions in the script (offsets fixed), or made up for the context of a probe (`args`).
// kContext: `args` whose members lie in the program's context as the kernel's ABI says; kPacket:
// `pkt` and its headers.
struct StructDef {
  // kEntryArguments: kept from the entry of what returns now; the offset is 64 bits times the
  // argument's number.
  enum class Origin {
    kScript,
    kKernel,
    kTracepoint,
    kProbeArguments,
    kEntryArguments,
    kContext,
    kPacket,
  };
  struct Member {
    std::string name;  // empty: anonymous struct or union, whose members count as the outer's
    TypeRef type = nullptr;
    uint32_t bit_offset = 0;
    uint32_t bit_size = 0;          // 0: not a bitfield
    bool is_data_loc = false;       // tracepoint __data_loc: a u32 holding offset | length << 16
    bool is_network_order = false;  // kContext: big-endian there
    std::string type_text;          // as the kernel writes it, for listings
  };
  std::string name;  // the tag; empty for anonymous
  std::string
      typedef_name;  // kKernel without a tag: a typedef that names it (`atomic_t`), if known
  bool is_union = false;
  bool is_complete = false;
  Origin origin = Origin::kScript;
  std::string module;      // kernel module whose BTF it comes from; empty: vmlinux
  uint32_t btf_id = 0;     // kKernel: the type's id there; 0: none
  uint32_t size = 0;       // bytes
  uint32_t alignment = 0;  // bytes; 0: what the members ask for
  std::vector<Member> members;
};

struct EnumDef {
  struct Value {
    std::string name;
    int64_t value;
  };
  std::string name;
  uint32_t size = 4;
  bool is_signed = false;
  bool is_kernel = false;
  std::vector<Value> values;
};

enum class StackMode { kBpftrace, kPerf, kRaw, kBuildId };

// A field of a tuple or record.
struct TypeField {
  std::string name;  // empty in tuples
  TypeRef type = nullptr;
  uint32_t offset = 0;  // bytes, naturally aligned as C would
};

// Parameters of hist (bits), lhist (min, max, step) and tseries (interval, intervals, function).
struct AggregationParameters {
  int64_t bits = 0;
  int64_t min = 0, max = 0, step = 0;
  int64_t interval_ns = 0, intervals = 0;
  std::string function;  // "", "avg", "max", "min", "sum"
  bool operator==(const AggregationParameters &) const = default;
};

class Type {
 public:
  TypeKind kind = TypeKind::kVoid;
  uint32_t size = 0;       // bytes a value takes in memory
  uint32_t alignment = 1;  // bytes
  bool is_signed = false;  // kInteger, kEnum; kSum, kMin, kMax, kAvg, kStats: of their input
  TypeRef element = nullptr;
  uint32_t count = 0;  // array elements; buffer capacity
  AddressSpace address_space = AddressSpace::kNone;
  StructDef *struct_def = nullptr;    // kStruct; filled in lazily, see TypeStore::complete
  const EnumDef *enum_def = nullptr;  // kEnum
  std::vector<TypeField> fields;
  StackMode stack_mode = StackMode::kBpftrace;
  uint32_t stack_limit = 127;  // frames
  bool is_unwound = false;     // kUserStack: by .eh_frame, not by frame pointers
  std::string format;          // kTimestamp, kCgroupPath
  AggregationParameters parameters;

  bool is_integer() const { return kind == TypeKind::kInteger || kind == TypeKind::kEnum; }
  bool is_integral() const { return is_integer() || kind == TypeKind::kBool; }
  bool is_pointer() const { return kind == TypeKind::kPointer; }
  bool is_string() const { return kind == TypeKind::kString; }
  bool is_struct() const { return kind == TypeKind::kStruct; }
  bool is_aggregation() const { return kind >= TypeKind::kCount; }
  // Aggregations that a cast or comparison turns into an integer: all but the histograms,
  // stats and tseries.
  bool is_integer_aggregation() const { return kind >= TypeKind::kCount && kind <= TypeKind::kAvg; }
  // Held in memory rather than in a register.
  bool is_composite() const {
    return kind == TypeKind::kString || kind == TypeKind::kBuffer || kind == TypeKind::kArray ||
           kind == TypeKind::kStruct || kind == TypeKind::kTuple || kind == TypeKind::kRecord ||
           kind == TypeKind::kInet || kind == TypeKind::kMacAddress ||
           kind == TypeKind::kKernelStack || kind == TypeKind::kUserStack;
  }
};

// The type as users write and read it in messages: "uint64", "struct task_struct *",
// "(int8,string[16])".
std::string to_string(TypeRef type);

// Makes and owns types. Struct and enum definitions are found by tag: those of the script first,
// then those a resolver (the Target) supplies on first use.
class TypeStore {
 public:
  TypeStore();
  TypeStore(const TypeStore &) = delete;

  TypeRef void_type();
  TypeRef boolean();
  TypeRef integer(uint32_t bytes, bool is_signed);
  TypeRef int64() { return integer(8, true); }
  TypeRef uint64() { return integer(8, false); }
  TypeRef string(uint32_t bytes);  // capacity with the NUL
  TypeRef buffer(uint32_t bytes);  // capacity without the length
  TypeRef pointer(TypeRef element, AddressSpace space = AddressSpace::kNone);
  TypeRef array(TypeRef element, uint32_t count);
  TypeRef struct_type(StructDef *def);
  TypeRef enum_type(const EnumDef *def);
  TypeRef tuple(const std::vector<TypeRef> &elements);
  TypeRef record(const std::vector<std::pair<std::string, TypeRef>> &fields);
  TypeRef kernel_stack(StackMode mode, uint32_t limit);
  TypeRef user_stack(StackMode mode, uint32_t limit, bool is_unwound = false);
  TypeRef simple(TypeKind kind);  // the kinds without parameters
  TypeRef timestamp(std::string format);
  TypeRef cgroup_path(std::string filter);
  TypeRef aggregation(TypeKind kind, bool is_signed, AggregationParameters parameters = {});

  // New definitions; they live as long as the store.
  StructDef *new_struct();
  EnumDef *new_enum();
  // Registers a definition of the script under its tag or typedef name.
  void define_struct(const std::string &tag, bool is_union, StructDef *def);
  void define_enum(const std::string &tag, EnumDef *def);
  void define_typedef(const std::string &name, TypeRef type);
  void define_constant(const std::string &name, int64_t value, const EnumDef *of = nullptr);

  struct Constant {
    int64_t value = 0;
    const EnumDef *of = nullptr;  // null: a plain number
  };

  // What the Target supplies: called for names the script does not define. Each returns null or
  // false for "no such thing".
  struct Resolver {
    virtual ~Resolver() = default;
    virtual TypeRef find_struct(const std::string &tag, bool is_union) = 0;
    virtual TypeRef find_enum(const std::string &tag) = 0;
    virtual TypeRef find_typedef(const std::string &name) = 0;
    virtual bool find_constant(const std::string &name, Constant *out) = 0;
    // Fills in size and members of a definition made by find_struct.
    virtual void complete(StructDef *def) = 0;
  };
  void set_resolver(Resolver *resolver);

  TypeRef find_struct(const std::string &tag, bool is_union);
  TypeRef find_enum(const std::string &tag);
  // A typedef or a built-in type name: int8…uint64, string, bool, u8…, uint64_t, char, int, ….
  // A string without a size has size 0.
  TypeRef find_named(const std::string &name);
  bool find_constant(const std::string &name, Constant *out);
  // The definition with its members filled in.
  const StructDef &complete(StructDef *def);
  // The type of a definition whose size or members have changed since the type was made: whoever
  // holds the type sees the change.
  TypeRef update_struct(StructDef *def);
  // A struct's size in bytes may be unknown until complete: use this, not Type::size.
  uint32_t size_of(TypeRef type);

 private:
  TypeRef intern(Type type);
  TypeRef resolve_typedef(const std::string &name);
  TypeRef aggregate(TypeKind kind, const std::vector<std::pair<std::string, TypeRef>> &fields);
  std::deque<Type> types_;
  std::map<std::string, TypeRef> interned_;
  std::deque<StructDef> struct_defs_;
  std::deque<EnumDef> enum_defs_;
  std::map<std::pair<std::string, bool>, StructDef *> structs_;
  std::map<std::string, EnumDef *> enums_;
  std::map<std::string, TypeRef> typedefs_;
  std::map<std::string, Constant> constants_;
  Resolver *resolver_ = nullptr;
  // What the resolver said, "no such thing" too: it may have to search all of the kernel's types.
  struct Resolved {
    std::map<std::pair<std::string, bool>, TypeRef> structs;
    std::map<std::string, TypeRef> enums, typedefs;
    std::map<std::string, std::optional<Constant>> constants;
  };
  Resolved resolved_;
};

// A member found by name, through anonymous structs and unions: the way to it from the outside in.
struct MemberPath {
  std::vector<const StructDef::Member *> members;
  std::vector<uint32_t> indices;  // index of each in its struct
  std::vector<const StructDef *> owners;
  uint32_t bit_offset = 0;  // from the outermost struct
};
// False when `def` (completed here) has no such member.
bool find_member(TypeStore &store, StructDef *def, std::string_view name, MemberPath *out);

}  // namespace awl::frontend
