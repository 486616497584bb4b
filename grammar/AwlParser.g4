/** The syntax of the language.
 *
 * Every decision but one (where the words of a C type end) is made by looking at one token, which
 * keeps the parser fast from its first token on. What would need more is prepared in the tokens
 * (OPEN_CAST, OPEN_TYPE, OPEN_STATEMENT, END_PREDICATE; see the lexer) or left to the AST builder:
 * that the left side of an assignment can be assigned to, that a record has names, and such.
 */
parser grammar AwlParser;

options {
  tokenVocab = AwlLexer;
  superClass = ParserBase;
}

@postinclude {
#include "grammar/parser_base.h"
}

program : item* EOF ;

// The body of a `#define` that is a value.
constant : expression EOF ;

item
  : DIRECTIVE
  | cDefinition
  | configBlock
  | importStatement
  | mapDeclaration
  | macroDefinition
  | clause
  | ';'
  ;

// ---- the head of a script -----------------------------------------------------------------------
// A ';' after a definition is an item by itself.
configBlock : CONFIG '=' '{' configEntry? ((';' | ',') configEntry?)* '}' ;
configEntry : IDENTIFIER '=' configValue ;
configValue : IDENTIFIER | TRUE | FALSE | STRING | '-'? NUMBER ;

importStatement : IMPORT STRING ;

mapDeclaration : DECLARE MAP '=' IDENTIFIER '(' expression ')' ;

macroDefinition : MACRO IDENTIFIER ('(' (macroParameter (',' macroParameter)*)? ')')? block ;
macroParameter : IDENTIFIER | VARIABLE | MAP ;

// ---- clauses ------------------------------------------------------------------------------------
clause : attachPoint (',' attachPoint?)* (PREDICATE expression END_PREDICATE)? block ;

attachPoint : PROVIDER ('=' PROVIDER)? PART* ;

// ---- statements ---------------------------------------------------------------------------------
block : (OPEN_STATEMENT | '{') statements '}' ;

// What ends in a block needs no ';', the last statement neither; without one it is the value of a
// block that stands for an expression.
statements : statementGroup (';' statementGroup)* ;
statementGroup : blockStatement* simpleStatement? ;

blockStatement
  : ifStatement
  | forStatement
  | whileStatement
  | unrollStatement
  | statementBlock
  ;

ifStatement : IF expression block (ELSE (ifStatement | block))? ;
// Where a value is expected; `IF_VALUE` is set by mark_tokens.
ifValue : IF_VALUE expression block ELSE (ifStatement | block) ;

forStatement : FOR ('(' forRange ')' | forRange) block ;
forRange : VARIABLE ':' expression ('..' expression)? ;

whileStatement : WHILE expression block ;
unrollStatement : UNROLL expression block ;
statementBlock : OPEN_STATEMENT statements '}' ;

simpleStatement
  : LET VARIABLE (':' typeSpecification)? ('=' expression)?
  | RETURN expression?
  | BREAK
  | CONTINUE
  | expression (assignmentOperator expression)?
  ;

assignmentOperator
  : '=' | '+=' | '-=' | '*=' | '/=' | '%=' | '&=' | '|=' | '^=' | '<<=' | '>>='
  ;

// ---- expressions --------------------------------------------------------------------------------
// Which operator of two operands binds tighter than another stands in
// frontend/parse/build_expressions.cpp: a rule for each of the ten levels would be entered for every
// operand.
expression : operations ('?' expression? ':' expression)? ;
operations
  : unary (('||' | '&&' | '|' | '^' | '&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '<<' | '>>'
           | '+' | '-' | '*' | '/' | '%') unary)*
  ;

unary
  : ('-' | '!' | '~' | '*' | '&' | '++' | '--' | COMPTIME) unary
  | OPEN_CAST typeSpecification ')' unary
  | postfix
  ;

postfix : primary suffix* ;
suffix
  : ('.' | '->') (fieldName | NUMBER)
  | '[' expression (',' expression)* ']'
  | '++'
  | '--'
  ;
fieldName
  : IDENTIFIER | BREAK | COMPTIME | CONTINUE | ELSE | FALSE | FOR | IF | LET | OFFSETOF | RETURN | SIZEOF
  | TRUE | TYPEINFO | TYPEOF | UNROLL | WHILE
  ;

primary
  : NUMBER
  | STRING
  | TRUE
  | FALSE
  | VARIABLE
  | MAP
  | POSITIONAL
  | POSITIONAL_COUNT
  | nameOrCall
  | parentheses
  | blockExpression
  | ifValue
  | (SIZEOF | TYPEOF | TYPEINFO) typeOrExpression
  | OFFSETOF (OPEN_TYPE typeSpecification | '(' expression) ',' fieldPath ')'
  ;

// `f`, `f(x)`, and `f!(x)`, which says that `f` is a macro.
nameOrCall : IDENTIFIER (('!' '(' | '(') arguments ')')? ;
arguments : (expression (',' expression)*)? ;

// `(x)`, the tuples `()`, `(x,)` and `(x, y)`, the record `(a=x, b=y)`.
parentheses : '(' (element (',' element?)*)? ')' ;
element : expression ('=' expression)? ;

blockExpression : '{' statements '}' ;

fieldPath : fieldName ('.' fieldName)* ;

// ---- types --------------------------------------------------------------------------------------
typeOrExpression : OPEN_TYPE typeSpecification ')' | '(' expression ')' ;

typeSpecification : QUALIFIER* baseType modifier* ;
baseType
  : (STRUCT | UNION | ENUM) IDENTIFIER QUALIFIER*
  | TYPEOF typeOrExpression
  | (IDENTIFIER QUALIFIER*)+
  ;
modifier : '*' QUALIFIER* | '[' expression? ']' ;

// ---- C definitions ------------------------------------------------------------------------------
cDefinition
  : cAggregate
  | cEnumeration
  | TYPEDEF QUALIFIER* cSpecifier cDeclarators ';'
  ;

cSpecifier : cAggregate | cEnumeration | cTypeWords ;
cTypeWords : IDENTIFIER (IDENTIFIER | QUALIFIER)* ;

cAggregate
  : (STRUCT | UNION) ATTRIBUTE* IDENTIFIER? ('{' cMember* '}' ATTRIBUTE*)? QUALIFIER*
  ;
cMember
  : QUALIFIER* (cAggregate cDeclarators? | cEnumeration cDeclarators? | cTypeWords cDeclarators) ';'
  ;
cDeclarators : cDeclarator (',' cDeclarator)* ;

cDeclarator
  : cPointer* (IDENTIFIER | cFunctionPointer) cArray* (':' expression)? ATTRIBUTE*
  | ':' expression
  ;
cPointer : '*' QUALIFIER* ;
cArray : '[' expression? ']' ;
cFunctionPointer : '(' '*' QUALIFIER* IDENTIFIER? cArray* ')' cParentheses ;
cParentheses : '(' (cParentheses | ~('(' | ')' | '{' | '}' | ';'))* ')' ;

cEnumeration
  : ENUM ATTRIBUTE* IDENTIFIER? ('{' cEnumerator (',' cEnumerator?)* '}' ATTRIBUTE*)? QUALIFIER*
  ;
cEnumerator : IDENTIFIER ('=' expression)? ;
