// Output: records for the runtime, built in place in the rings.
//
// Arguments that live in registers, and those whose evaluation may do more than read (calls of
// helpers that insert, statements in block expressions), are computed before the record is
// reserved; strings, stacks and other memory are then made where they will be read.
#include <llvm/IR/Constants.h>

#include <cassert>

#include "codegen/lower.h"
#include "frontend/ast/visit.h"

namespace awl::codegen {

namespace {

// Whether an argument may be evaluated while the record is reserved. A block may leave the program
// or send records of its own; changes must happen in the order of the arguments.
bool can_be_made_in_place(ast::Expr &expr) {
  bool result = true;
  ast::walk(expr, [&](ast::Node &node) {
    if (node.kind == ast::NodeKind::kBlockExpr || node.kind == ast::NodeKind::kIncDec)
      result = false;
    if (auto *call = ast::as<ast::Call>(&node)) {
      if (call->name == "len" || call->name == "delete" || call->name == "find") result = false;
    }
  });
  return result;
}

uint32_t align_up(uint32_t offset, uint32_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

}  // namespace

void Lowering::emit_event(object::EventKind kind, const std::string &format,
                          const std::vector<ast::Expr *> &arguments, Span span) {
  object::Event event;
  event.kind = kind;
  event.format = format;
  event.location = e_.location(span);
  uint32_t offset = sizeof(object::RecordHeader);
  for (ast::Expr *argument : arguments) {
    // Memory is copied in words wherever it lies.
    uint32_t alignment = is_in_memory(argument->type) ? 8 : argument->type->size;
    uint32_t size = program_.types->size_of(argument->type);
    offset = align_up(offset, std::max<uint32_t>(1, alignment));
    event.arguments.push_back({"", offset, 0, 0, {e_.value_type(argument->type)}});
    offset += size;
  }
  event.size = align_up(offset, 8);

  bool is_in_place = true;
  for (ast::Expr *argument : arguments)
    is_in_place = is_in_place && can_be_made_in_place(*argument);
  std::vector<Kept> values;
  for (ast::Expr *argument : arguments) {
    bool is_made_later = is_in_place && is_in_memory(argument->type);
    values.push_back(is_made_later ? Kept{} : keep(value(*argument)));
  }
  std::vector<object::Field> fields = event.arguments;
  e_.output_record(e_.add_event(std::move(event)), [&](llvm::Value *record) {
    aligned_.insert(record);
    for (size_t i = 0; i < arguments.size(); i++) {
      llvm::Value *to = at(record, fields[i].offset);
      if (values[i].value) {
        store_value(take(values[i]), arguments[i]->type, to);
        continue;
      }
      record_memory_ = to;
      llvm::Value *made = value(*arguments[i], to);
      record_memory_ = nullptr;
      if (made != to) copy(to, made, program_.types->size_of(arguments[i]->type));
    }
  });
}

void Lowering::emit_control(object::EventKind kind, const MapInfo *map,
                            const std::vector<llvm::Value *> &arguments, Span span,
                            const std::function<void()> &also) {
  object::Event event;
  event.kind = kind;
  event.location = e_.location(span);
  if (map) event.map = map_index(*map);
  uint32_t offset = sizeof(object::ControlHeader);
  object::ValueType word;
  word.kind = object::ValueKind::kInteger;
  word.size = 8;
  word.is_signed = kind == object::EventKind::kExit;
  for (size_t i = 0; i < arguments.size(); i++) {
    event.arguments.push_back({"", offset, 0, 0, {word}});
    offset += 8;
  }
  event.size = offset;
  e_.control_record(e_.add_event(std::move(event)), [&](llvm::Value *record) {
    for (size_t i = 0; i < arguments.size(); i++) {
      llvm::Value *to = at(record, static_cast<uint32_t>(sizeof(object::ControlHeader) + 8 * i));
      b().CreateAlignedStore(arguments[i], to, llvm::Align(8));
    }
    if (also) also();
  });
}

}  // namespace awl::codegen
