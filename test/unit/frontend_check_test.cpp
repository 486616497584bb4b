#include <gtest/gtest.h>


#include "test/unit/check_contract.h"
#include "test/unit/fake_target.h"

namespace awl::frontend {
namespace {

struct CheckTest : testing::Test {
  CheckTest() {
    target.add_field("sched:switch", "char[16]", "comm", 16);
    target.add_field("sched:switch", "pid_t", "pid", 4, true);
    target.add_field("syscalls:sys_enter_open", "const char *", "name", 8);
    target.binaries["/bin/app"] = {"f", "g"};
  }

  bool compile(const std::string &text) {
    compilation = std::make_unique<Compilation>();
    return frontend::compile(*compilation, "test.bt", text, target, options);
  }

  // Type of a variable or map after the body was compiled as a `begin` clause. A script of its own
  // when it holds a brace.
  std::string type(const std::string &body, const std::string &name) {
    if (!compile(body.find('{') == std::string::npos ? "begin { " + body + " }" : body)) {
      return "error: " + errors();
    }
    std::string problem = ContractChecker(*compilation).run();
    if (!problem.empty()) return "broken contract: " + problem;
    if (const MapInfo *map = compilation->checked.find_map(name)) {
      std::string value = to_string(map->value);
      return map->key ? to_string(map->key) + " -> " + value : value;
    }
    for (const ProgramInfo &program : compilation->checked.programs) {
      for (const auto &decl : program.clause->variables) {
        if (decl->name == name) return to_string(decl->type);
      }
    }
    return "no such name";
  }

  std::string types(const std::string &body) { return type(body, "$a"); }

  // Ids of all diagnostics, in order.
  std::string errors() {
    std::string ids;
    for (const Diagnostic &diagnostic : compilation->diagnostics.all()) {
      ids += (ids.empty() ? "" : " ") + std::string(diagnostic.kind->id);
    }
    return ids;
  }
  std::string errors(const std::string &body) {
    bool is_right = compile(body.find('{') == std::string::npos ? "begin { " + body + " }" : body);
    if (is_right) {
      std::string problem = ContractChecker(*compilation).run();
      if (!problem.empty()) return "broken contract: " + problem;
    }
    return errors();
  }
  // The text that the first diagnostic points at.
  std::string place() {
    const Diagnostic &first = compilation->diagnostics.all().at(0);
    return std::string(compilation->sources.text(first.span));
  }

  FakeTarget target;
  Options options;
  std::unique_ptr<Compilation> compilation;
};

TEST_F(CheckTest, LiteralsAreTheSmallestSignedType) {
  EXPECT_EQ(types("$a = 0;"), "int8");
  EXPECT_EQ(types("$a = -128;"), "int8");
  EXPECT_EQ(types("$a = 128;"), "int16");
  EXPECT_EQ(types("$a = -32769;"), "int32");
  EXPECT_EQ(types("$a = 0x7fffffffffffffff;"), "int64");
  EXPECT_EQ(types("$a = 0xffffffffffffffff;"), "uint64");
  EXPECT_EQ(types("$a = \"abc\";"), "string[4]");
  EXPECT_EQ(types("$a = true;"), "bool");
}

TEST_F(CheckTest, ArithmeticIsDoneIn64Bits) {
  EXPECT_EQ(types("$a = pid + 1;"), "uint64");
  EXPECT_EQ(types("$a = pid - 1;"), "int64");
  EXPECT_EQ(types("$a = pid - tid;"), "int64");
  EXPECT_EQ(types("$a = (int32)1 * (uint32)2;"), "int64");
  EXPECT_EQ(types("$a = pid | -1;"), "int64");
  EXPECT_EQ(types("$a = (uint8)3 << 2;"), "uint64");
  EXPECT_EQ(types("$a = ~(uint8)1;"), "uint8");
  EXPECT_EQ(types("$a = -pid;"), "uint32");
  EXPECT_EQ(types("$a = true + 1;"), "uint64");
}

TEST_F(CheckTest, OperationsOnLiteralsAreFolded) {
  EXPECT_EQ(types("$a = 255 + 1;"), "int16");
  EXPECT_EQ(types("$a = 1 << 16;"), "int32");
  EXPECT_EQ(types("$a = 5 / 2;"), "int8");
  EXPECT_EQ(types("$a = 3 > 2;"), "bool");
  EXPECT_EQ(types("$a = \"a\" == \"b\";"), "bool");
  EXPECT_EQ(types("$a = 1 ? 2 : \"x\";"), "int8");
  EXPECT_EQ(types("$a = ~5;"), "uint64");
  EXPECT_EQ(errors("$a = 5 / 0;"), "constant-division-by-zero");
  EXPECT_EQ(errors("$a = 1 << 64;"), "constant-shift");
  EXPECT_EQ(errors("$a = 0x7fffffffffffffff * 4;"), "constant-overflow");
  EXPECT_EQ(errors("$a = -1 * 0xffffffffffffffff;"), "constant-overflow");
}

TEST_F(CheckTest, VariablesWidenOverAllUses) {
  EXPECT_EQ(types("$a = 1; $b = -1000; $a = $b;"), "int16");
  EXPECT_EQ(types("$a = 1; $a = (uint64)2;"), "uint64");
  EXPECT_EQ(types("$b = 1; $a = $b; $a = (uint64)1;"), "int64");
  EXPECT_EQ(types("$a = (uint8)1; $a = (int8)1;"), "int16");
  EXPECT_EQ(types("$a = (uint8)1; $a = 200;"), "uint16");
  EXPECT_EQ(types("$a = (uint32)1; $a = -1;"), "int64");
  EXPECT_EQ(types("$a = 1; $a++;"), "int64");
  EXPECT_EQ(types("$a = (uint8)1; $a++;"), "int64");
  EXPECT_EQ(types("$a = \"x\"; $a = \"abc\";"), "string[4]");
  EXPECT_EQ(types("$a = (1, \"x\"); $a = (1000, \"abc\");"), "(int16,string[4])");
  EXPECT_EQ(types("$a = (x=1, y=\"a\"); $a = (y=\"abc\", x=1000);"),
            "record { .x = int16, .y = string[4] }");
}

TEST_F(CheckTest, MapsWidenOverAllClauses) {
  const std::string script =
      "begin { @x[1, \"a\"] = 1; } end { @x[pid, comm] = -5000; } interval:s:1 { $a = @x[2, "
      "\"b\"]; }";
  EXPECT_EQ(type(script, "@x"), "(uint32,string[16]) -> int16");
  EXPECT_EQ(type(script, "$a"), "int16");
  EXPECT_EQ(type("@x++;", "@x"), "int64");
  EXPECT_EQ(type("@x += pid;", "@x"), "int64");
  EXPECT_EQ(type("begin { @x = @y; @y = @z; } end { @z = comm; }", "@x"), "string[16]");
  EXPECT_EQ(type("$a = @x;", "@x"), "int64");
}

TEST_F(CheckTest, DeclaredTypesStay) {
  EXPECT_EQ(errors("let $a: uint16 = 1; $a = 40000;"), "");
  EXPECT_EQ(errors("let $a: uint16 = -1;"), "assign-mismatch");
  EXPECT_EQ(errors("let $b = -1; let $a: uint16 = $b;"), "sign-cast");
  EXPECT_EQ(errors("$a = nsecs; $a = -1;"), "sign-cast");
  EXPECT_EQ(errors("let $a: string[4] = \"abcdef\";"), "assign-mismatch");
  EXPECT_EQ(types("let $a: string = \"abc\"; $a = \"abcdef\";"), "string[7]");
  EXPECT_EQ(types("let $a; $a = 5;"), "int8");
  EXPECT_EQ(errors("let $a; print($a);"), "variable-never-assigned unresolved-variable");
}

TEST_F(CheckTest, NamesEveryMismatch) {
  EXPECT_EQ(errors("$a = 1; $a = \"x\";"), "assign-mismatch");
  EXPECT_EQ(errors("@a = true; @a = 1;"), "assign-mismatch");
  EXPECT_EQ(errors("@a[1] = 1; @a[\"x\"] = 1;"), "map-key-mismatch");
  EXPECT_EQ(errors("@a[1] = 1; @a = 1;"), "map-needs-key");
  EXPECT_EQ(errors("@a = 1; @a[1] = 1;"), "map-needs-no-key");
  EXPECT_EQ(errors("@a = 1 + \"x\";"), "type-mismatch");
  EXPECT_EQ(errors("@a = comm + comm;"), "bad-operands");
  EXPECT_EQ(errors("@a = comm < \"x\";"), "bad-operands");
  EXPECT_EQ(errors("@a = comm == pid;"), "type-mismatch");
  EXPECT_EQ(errors("@a = -comm;"), "bad-operand");
  EXPECT_EQ(errors("@a = pid ? 1 : \"x\";"), "branch-mismatch");
  EXPECT_EQ(errors("begin { if (comm) { } }"), "bad-condition");
  EXPECT_EQ(errors("begin /comm/ { }"), "bad-condition");
  EXPECT_EQ(errors("$a = 1; $a[0];"), "not-indexable");
  EXPECT_EQ(errors("$a = (1, 2).2;"), "tuple-index");
  EXPECT_EQ(errors("$a = (1, 2)[pid];"), "tuple-index-constant");
  EXPECT_EQ(errors("$a = pid.x;"), "not-a-struct");
  EXPECT_EQ(errors("$a = pid.0;"), "not-a-tuple");
  EXPECT_EQ(errors("$a = (x=1, x=2);"), "duplicate-field");
  EXPECT_EQ(errors("$a = (x=1, y=2).z;"), "no-such-field");
  EXPECT_EQ(errors("$a = (1, clear(@x)); @x = 1;"), "element-type");
  EXPECT_EQ(errors("$a = clear(@x); @x = 1;"), "not-assignable");
  EXPECT_EQ(errors("$s = \"a\"; $s++;"), "increment-type");
  EXPECT_EQ(errors("$a = (uint64)(1, 2);"), "bad-cast");
  EXPECT_EQ(errors("$a = (string[2])\"abc\";"), "bad-cast");
  EXPECT_EQ(errors("$a = (int32[])\"abcd\";"), "unsized-array");
  EXPECT_EQ(errors("$a = *comm;"), "dereference");
  EXPECT_EQ(errors("$a = (uint8 *)1; $b = $a == (uint16 *)1;"), "pointer-comparison");
  EXPECT_EQ(errors("begin { return \"x\"; }"), "return-type");
  EXPECT_EQ(errors("@x[print(1)] = 1;"), "map-key-type");
}

TEST_F(CheckTest, NamesAreResolved) {
  EXPECT_EQ(errors("print($a);"), "undefined-variable");
  EXPECT_EQ(errors("begin { if (pid) { $a = 1; } print($a); }"), "undefined-variable");
  EXPECT_EQ(errors("begin { $a = 1; if (pid) { let $a = 2; } }"), "variable-redeclared");
  EXPECT_EQ(errors("begin { if (pid) { $a = 1; } else { $a = \"x\"; } }"), "");
  EXPECT_EQ(errors("foo(1);"), "unknown-function");
  EXPECT_EQ(errors("print(kstak);"), "unknown-identifier");
  EXPECT_EQ(compilation->diagnostics.all()[0].hint, "did you mean kstack?");
  EXPECT_EQ(errors("print(@a);"), "undefined-map");
  EXPECT_EQ(errors("print(str);"), "function-as-value");
  EXPECT_EQ(errors("print();"), "too-few-arguments");
  EXPECT_EQ(errors("exit(1, 2);"), "too-many-arguments");
  EXPECT_EQ(errors("clear(@a[1]); @a[1] = 1;"), "map-argument");
  EXPECT_EQ(errors("system(\"ls\");"), "unsafe-function");
  EXPECT_EQ(errors("override(1);"), "unsafe-function builtin-probe");
}

TEST_F(CheckTest, AggregationsLiveInMaps) {
  EXPECT_EQ(type("@x = count();", "@x"), "count_t");
  EXPECT_EQ(type("@x[comm] = sum(pid);", "@x"), "string[16] -> usum_t");
  EXPECT_EQ(type("@x = sum(pid); @x = sum(-1);", "@x"), "sum_t");
  EXPECT_EQ(type("@x = sum(1); @x = sum(pid);", "@x"), "usum_t");
  EXPECT_EQ(types("@x = count(); $a = @x;"), "uint64");
  EXPECT_EQ(types("@x = avg(-1); $a = @x + 1;"), "int64");
  EXPECT_EQ(types("@x = max(pid); $a = (uint8)@x;"), "uint8");
  EXPECT_EQ(type("begin { @x[1] = count(); for ($kv : @x) { } }", "$kv"), "(int8,uint64)");
  EXPECT_EQ(errors("begin { @x = count(); if (@x > 5 && @x) { print(@x ? 1 : 2); } }"), "");
  EXPECT_EQ(errors("$a = count();"), "aggregation-not-assigned");
  EXPECT_EQ(errors("@x = count(); @x = 1;"), "assign-mismatch");
  EXPECT_EQ(errors("@x = count(); @x = sum(1);"), "assign-mismatch");
  EXPECT_EQ(errors("@x = count(); @y = @x;"), "aggregation-copied");
  EXPECT_EQ(errors("@x = hist(1); @x = hist(1, 2);"), "aggregation-parameters");
  EXPECT_EQ(errors("@x = hist(1); $a = @x;"), "aggregation-value");
  EXPECT_EQ(errors("@x[1] = hist(1); print(@x[1]);"), "print-element");
  EXPECT_EQ(errors("begin { @x[1] = hist(1); for ($kv : @x) { } }"), "loop-type");
}

TEST_F(CheckTest, LoopsAndJumps) {
  EXPECT_EQ(type("begin { for ($i : 0..ncpus) { } }", "$i"), "uint64");
  EXPECT_EQ(type("begin { for ($i : 0..10) { $i++; } }", "$i"), "int64");
  EXPECT_EQ(type("begin { @x[1, 2] = \"a\"; for ($kv : @x) { $a = $kv.0.1; } }", "$kv"),
            "((int8,int8),string[2])");
  EXPECT_EQ(errors("begin { @x = 1; for ($kv : @x) { } }"), "loop-scalar-map");
  EXPECT_EQ(errors("begin { for ($kv : @x) { } }"), "loop-undefined-map");
  EXPECT_EQ(errors("begin { for ($i : 0..comm) { } }"), "range-type");
  EXPECT_EQ(errors("break;"), "outside-loop");
  EXPECT_EQ(errors("begin { unroll(3) { continue; } }"), "outside-loop");
  EXPECT_EQ(errors("begin { unroll(0) { } }"), "unroll-range");
  EXPECT_EQ(errors("begin { unroll(101) { } }"), "unroll-range");
  EXPECT_EQ(errors("begin { unroll(pid) { } }"), "unroll-count");
  EXPECT_EQ(errors("begin { unroll(100) { unroll(100) { unroll(2) { } } } }"), "unroll-nested");
  EXPECT_EQ(errors("begin { while (pid) { break; } }"), "while-deprecated");
  EXPECT_EQ(errors("exit(); print(1);"), "unreachable");
  EXPECT_EQ(errors("pid;"), "result-discarded");
}

TEST_F(CheckTest, StructsPointersAndArrays) {
  const std::string s =
      "struct inner { short z; } struct s { int x; char name[8]; unsigned char raw[4]; struct "
      "inner "
      "*next; struct { int deep; }; int bits : 3; } begin { $p = (struct s *)1; ";
  EXPECT_EQ(type(s + "$a = $p.x; }", "$a"), "int32");
  EXPECT_EQ(type(s + "$a = $p->name; }", "$a"), "string[8]");
  EXPECT_EQ(type(s + "$a = $p.raw; }", "$a"), "uint8[4]");
  EXPECT_EQ(type(s + "$a = $p.raw[1]; }", "$a"), "uint8");
  EXPECT_EQ(type(s + "$a = $p.next.z; }", "$a"), "int16");
  EXPECT_EQ(type(s + "$a = $p.deep; }", "$a"), "int32");
  EXPECT_EQ(type(s + "$a = (*$p).bits; }", "$a"), "int32");
  EXPECT_EQ(type(s + "$a = $p + 1; }", "$a"), "struct s *");
  EXPECT_EQ(type(s + "$a = $p[2].x; }", "$a"), "int32");
  EXPECT_EQ(type(s + "$a = &$p.x; }", "$a"), "int32 *");
  EXPECT_EQ(type(s + "$a = sizeof(struct s) + offsetof(struct s, next); }", "$a"), "uint64");
  EXPECT_EQ(errors(s + "$a = $p.nme; }"), "no-such-field");
  EXPECT_EQ(compilation->diagnostics.all()[0].hint, "did you mean name?");
  EXPECT_EQ(errors(s + "$a = $p.raw[4]; }"), "index-out-of-bounds");
  EXPECT_EQ(errors(s + "$a = $p.raw[comm]; }"), "index-type");
  EXPECT_EQ(errors(s + "$a = offsetof(struct s, bits); }"), "offsetof-bitfield");
  EXPECT_EQ(errors(s + "$a = *$p == *$p; }"), "bad-operands");
  EXPECT_EQ(types("$b = (int8[8])12345; $a = (uint64)$b;"), "uint64");
  EXPECT_EQ(types("$a = (int8[])\"abc\";"), "int8[4]");
  EXPECT_EQ(types("$a = 1; $b = &$a;"), "int8");
  EXPECT_EQ(type("$a = 1; $b = &$a; $c = *$b;", "$c"), "int8");
  EXPECT_EQ(errors("$a = (void *)1; $b = $a[1];"), "opaque-pointer");
}

TEST_F(CheckTest, ProbesSayWhatThereIs) {
  EXPECT_EQ(type("tracepoint:sched:switch { $a = args.comm; }", "$a"), "string[16]");
  EXPECT_EQ(type("tracepoint:sched:switch { $a = args.pid; }", "$a"), "int32");
  EXPECT_EQ(type("tracepoint:syscalls:sys_enter_open { $a = str(args.name); }", "$a"),
            "string[1024]");
  EXPECT_EQ(type("uprobe:/bin/app:f { $a = arg0; }", "$a"), "uint64");
  EXPECT_EQ(type("uprobe:/bin/app:f { $a = func; }", "$a"), "usym_t");
  EXPECT_EQ(type("uretprobe:/bin/app:f { $a = retval; }", "$a"), "uint64");
  EXPECT_EQ(errors("begin { $a = arg0; }"), "builtin-probe");
  EXPECT_EQ(errors("begin { $a = retval; }"), "builtin-probe");
  EXPECT_EQ(errors("begin { $a = args; }"), "no-probe-arguments");
  EXPECT_EQ(errors("begin { $a = func; }"), "builtin-probe");
  EXPECT_EQ(type("begin { $a = probetype; }", "$a"), "string[8]");
  EXPECT_EQ(type("begin { $a = probe; $a = \"x\"; }", "$a"), "string[128]");
  ASSERT_TRUE(compile("tracepoint:sched:switch { print(probe == \"x\"); } begin { print(1); }"));
  EXPECT_TRUE(compilation->checked.programs[0].uses_probe_name);
  EXPECT_FALSE(compilation->checked.programs[1].uses_probe_name);
}

TEST_F(CheckTest, AddressSpacesFollowTheProbe) {
  auto space = [&](const std::string &script) {
    if (!compile(script)) return AddressSpace::kBpf;
    return compilation->checked.programs[0].clause->variables[0]->type->address_space;
  };
  EXPECT_EQ(space("uprobe:/bin/app:f { $a = (uint8 *)arg0; }"), AddressSpace::kUser);
  EXPECT_EQ(space("begin { $a = (uint8 *)1; }"), AddressSpace::kKernel);
  EXPECT_EQ(space("begin { $a = uptr((uint8 *)1); }"), AddressSpace::kUser);
  EXPECT_EQ(space("begin { $a = *(uint8 **)uptr((uint8 *)1); }"), AddressSpace::kUser);
  EXPECT_EQ(space("tracepoint:syscalls:sys_enter_open { $a = args.name; }"), AddressSpace::kUser);
}

TEST_F(CheckTest, FormatsAreCheckedAtTheConversion) {
  EXPECT_EQ(errors("printf(\"%d %s\", 1);"), "format-too-few-arguments");
  EXPECT_EQ(errors("printf(\"%d\", 1, 2);"), "format-too-many-arguments");
  EXPECT_EQ(errors("printf(\"ab %-5d\", comm);"), "format-type");
  EXPECT_EQ(place(), "%-5d");
  EXPECT_EQ(errors("printf(\"%r\", 1);"), "format-type");
  EXPECT_EQ(errors("printf(comm);"), "argument-type");
  EXPECT_EQ(
      errors("@x = count(); printf(\"%d %s %x %p %c %r\", @x, (1, kstack), pid, (void *)1, 65, "
             "buf(\"a\", 1));"),
      "");
}

TEST_F(CheckTest, StringsHaveALimitFormatsHaveNone) {
  const std::string text = "\"" + std::string(2000, 'x') + "\"";
  EXPECT_EQ(errors("$a = " + text + ";"), "string-too-long");
  EXPECT_EQ(errors("print(" + text + ");"), "string-too-long");
  EXPECT_EQ(errors("printf(" + text + ");"), "");
}

TEST_F(CheckTest, ParametersAreTypedByValueAndUse) {
  EXPECT_EQ(types("$a = $1;"), "int64");
  EXPECT_EQ(types("$a = str($1);"), "string[256]");
  EXPECT_EQ(types("$a = str($1 + 1);"), "string[256]");
  ASSERT_TRUE(
      compile("begin { print($1); print(str($1)); print($2 == \"x\"); print(getopt(\"n\", 5, "
              "\"what\")); }"));
  const auto &parameters = compilation->checked.parameters;
  ASSERT_EQ(parameters.size(), 4u);
  EXPECT_EQ(parameters[0].kind, ParameterInfo::Kind::kInteger);
  EXPECT_EQ(parameters[1].kind, ParameterInfo::Kind::kString);
  EXPECT_EQ(parameters[1].name, "1");
  EXPECT_EQ(parameters[2].kind, ParameterInfo::Kind::kString);
  EXPECT_EQ(parameters[3].name, "n");
  EXPECT_EQ(parameters[3].default_integer, 5);
  EXPECT_EQ(parameters[3].description, "what");
  EXPECT_EQ(compilation->checked.find_parameter("1", true, ParameterInfo::Kind::kString)->id, 1u);
  EXPECT_EQ(errors("print((getopt(\"n\", 5), getopt(\"n\", 6)));"), "option-default");
  options.parameters = {"hello", "0x10"};
  EXPECT_EQ(types("$a = $1;"), "string[256]");
  EXPECT_EQ(types("$a = $2;"), "int64");
  EXPECT_EQ(errors("begin { unroll($2) { } }"), "");
  options.is_ahead_of_time = true;
  EXPECT_EQ(errors("begin { unroll($2) { } }"), "unroll-count");
}

TEST_F(CheckTest, MapDeclarations) {
  ASSERT_TRUE(compile("let @a = lruhash(5 * 2); begin { @a[1] = 1; @b = 1; }"));
  EXPECT_EQ(compilation->checked.find_map("@a")->declared, MapKind::kLruHash);
  EXPECT_EQ(compilation->checked.find_map("@a")->max_entries, 10u);
  EXPECT_EQ(compilation->checked.find_map("@b")->declared, MapKind::kAuto);
  EXPECT_EQ(errors("let @a = tree(1); begin { @a[1] = 1; }"), "unknown-map-type");
  EXPECT_EQ(errors("let @a = hash(0); begin { @a[1] = 1; }"), "map-entries");
  EXPECT_EQ(errors("let @a = hash(1); let @a = hash(1); begin { @a[1] = 1; }"), "map-redeclared");
  EXPECT_EQ(errors("@a[str(1)] = 1;"), "");
  EXPECT_EQ(errors("$s = (string[65537])(uint64)1; @a[$s] = 1;"), "map-key-too-large");
}

TEST_F(CheckTest, SaysSeveralErrorsAtOnceAndNoneTwice) {
  EXPECT_EQ(errors("$a = -comm; $b = $a + 1; $c = 1 + \"x\";"), "bad-operand type-mismatch");
}

}  // namespace
}  // namespace awl::frontend
