/** The words of the language.
 *
 * Two modes: between clauses an attach point is written as a user would write it in a shell, with
 * paths, wildcards and quotes; inside braces (and predicates and definitions) the text is code.
 * A `{` goes from the first to the second. Every byte is a token of some kind, so the lexer never
 * fails; UNKNOWN, CHARACTER and the UNTERMINATED kinds are reported by the frontend.
 *
 * Characters are bytes; those outside ASCII arrive as 0x7F (frontend/parse/byte_stream.h).
 * lexer_base.h says where code mode ends. The last three kinds in `tokens` are made by
 * frontend/parse/mark_tokens.h, which needs to see what follows.
 */
lexer grammar AwlLexer;

options { superClass = LexerBase; }

tokens {
  END_PREDICATE,   // the second '/' of a predicate
  OPEN_CAST,       // the '(' of a cast
  OPEN_TYPE,       // the '(' of sizeof, offsetof, typeof and typeinfo when a type follows
  OPEN_STATEMENT,  // the '{' of a block that is a statement by itself
  IF_VALUE         // the 'if' of an expression
}

@postinclude {
#include "grammar/lexer_base.h"
}

// ---- between clauses ----------------------------------------------------------------------------
SPACE : [ \t\r\n\f\u000B]+ -> skip;
LINE_COMMENT : '//' ~[\n]* -> skip;
BLOCK_COMMENT : '/*' (~'*' | '*'+ ~[*/])* '*'+ '/' -> skip;
UNTERMINATED_COMMENT : '/*' (~'*' | '*'+ ~[*/])* '*'*;
SHEBANG : '#!' ~[\n]* -> skip;

// `#define`, `#include` and `#undef` lines; conditional lines are gone before the lexer runs.
DIRECTIVE : '#' [ \t]* ('define' | 'include' | 'undef') (~[\\\n] | '\\' '\r'? '\n' | '\\' ~[\r\n])*;

CONFIG : 'config' { begin_definition(); } -> pushMode(CODE);
IMPORT : 'import' { begin_import(); } -> pushMode(CODE);
DECLARE : 'let' { begin_map_declaration(); } -> pushMode(CODE);
MACRO : 'macro' { begin_definition(); } -> pushMode(CODE);
STRUCT : 'struct' { begin_definition(); } -> pushMode(CODE);
UNION : 'union' { begin_definition(); } -> pushMode(CODE);
ENUM : 'enum' { begin_definition(); } -> pushMode(CODE);
TYPEDEF : 'typedef' { begin_typedef(); } -> pushMode(CODE);

ATTRIBUTE : '__attribute__' [ \t\r\n]* '((' (~[()] | '(' ~[()]* ')')* '))';

// `uprobe:/bin/bash:"f g"+4` is PROVIDER PART PART.
PROVIDER : [a-zA-Z0-9_$*?]+;
PART : ':' [ \t]* (~[ \t\r\n\f{,:"] | QUOTED)*;

PREDICATE : '/' { begin_predicate(); } -> pushMode(CODE);
TOP_COMMA : [,] -> type(COMMA);
TOP_ASSIGN : [=] -> type(ASSIGN);
TOP_SEMICOLON : [;] -> type(SEMICOLON);
TOP_OPEN_BRACE : [{] -> type(OPEN_BRACE), pushMode(CODE);
TOP_CLOSE_BRACE : [}] -> type(CLOSE_BRACE);
// What means something in code alone; no rule of the parser wants it.
MISPLACED : [()[\]@.+\-<>|&!~%^];
TOP_STRING : QUOTED -> type(MISPLACED);
TOP_UNTERMINATED_STRING : '"' (~["\\\n] | '\\' ~[\n])* '\\'? -> type(UNTERMINATED_STRING);
TOP_UNKNOWN : . -> type(UNKNOWN);

fragment QUOTED : '"' (~["\\\n] | '\\' ~[\n])* '"';
fragment NAME : [a-zA-Z_] [a-zA-Z0-9_]*;

// ---- code ---------------------------------------------------------------------------------------
mode CODE;

CODE_SPACE : [ \t\r\n\f\u000B]+ -> skip;
CODE_LINE_COMMENT : '//' ~[\n]* -> skip;
CODE_BLOCK_COMMENT : '/*' (~'*' | '*'+ ~[*/])* '*'+ '/' -> skip;
CODE_UNTERMINATED_COMMENT : '/*' (~'*' | '*'+ ~[*/])* '*'* -> type(UNTERMINATED_COMMENT);
MISPLACED_DIRECTIVE : '#' [ \t]* ('define' | 'include' | 'undef') (~[\\\n] | '\\' '\r'? '\n' | '\\' ~[\r\n])*;

BREAK : 'break';
COMPTIME : 'comptime';
CONTINUE : 'continue';
ELSE : 'else';
FALSE : 'false';
FOR : 'for';
IF : 'if';
LET : 'let';
OFFSETOF : 'offsetof';
RETURN : 'return';
SIZEOF : 'sizeof';
TRUE : 'true';
TYPEINFO : 'typeinfo';
TYPEOF : 'typeof';
UNROLL : 'unroll';
WHILE : 'while';
CODE_STRUCT : 'struct' -> type(STRUCT);
CODE_UNION : 'union' -> type(UNION);
CODE_ENUM : 'enum' -> type(ENUM);
CODE_ATTRIBUTE
  : '__attribute__' [ \t\r\n]* '((' (~[()] | '(' ~[()]* ')')* '))' -> type(ATTRIBUTE);
QUALIFIER : 'const' | 'volatile' | 'restrict' | '__restrict';

IDENTIFIER : NAME;
VARIABLE : '$' NAME;
POSITIONAL : '$' [0-9]+;
POSITIONAL_COUNT : '$#';
MAP : '@' NAME?;
// Any suffix is let through: what is wrong with a number is said when its value is computed.
NUMBER : [0-9] [0-9a-zA-Z_]*;
STRING : QUOTED { string(); };
CHARACTER : '\'' (~['\\\n] | '\\' ~[\n])* '\'';  // there are none in the language
UNTERMINATED_STRING : '"' (~["\\\n] | '\\' ~[\n])* '\\'?;

OPEN_BRACE : '{' -> pushMode(CODE);
CLOSE_BRACE : '}' { close_brace(); };
SEMICOLON : ';' { semicolon(); };
SLASH : '/' { slash(END_PREDICATE); };

OPEN : '(' { open(); };
CLOSE : ')' { close(); };
OPEN_BRACKET : '[';
CLOSE_BRACKET : ']';
COMMA : ',';
COLON : ':';
QUESTION : '?';
DOT : '.';
ARROW : '->';
RANGE : '..';
INCREMENT : '++';
DECREMENT : '--';
STAR : '*';
PERCENT : '%';
PLUS : '+';
MINUS : '-';
LEFT : '<<';
RIGHT : '>>';
LESS : '<';
GREATER : '>';
LESS_EQUAL : '<=';
GREATER_EQUAL : '>=';
EQUAL : '==';
NOT_EQUAL : '!=';
AND : '&';
XOR : '^';
OR : '|';
AND_AND : '&&';
OR_OR : '||';
NOT : '!';
COMPLEMENT : '~';
ASSIGN : '=';
ADD_ASSIGN : '+=';
SUB_ASSIGN : '-=';
MUL_ASSIGN : '*=';
DIV_ASSIGN : '/=';
MOD_ASSIGN : '%=';
AND_ASSIGN : '&=';
OR_ASSIGN : '|=';
XOR_ASSIGN : '^=';
LEFT_ASSIGN : '<<=';
RIGHT_ASSIGN : '>>=';
UNKNOWN : .;
