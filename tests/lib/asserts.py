# SPDX-License-Identifier: MIT
"""Tests whose failures show the values that were compared.

    keep(folder)    in the modules there, imported from now on, each assert keeps its operands,
                    and so does each eventually(lambda: ...): in a Came, which counts as false
    kept(exception) the operands of the assert that an exception comes from, one a line
"""

import ast
import re
import sys
from importlib.machinery import FileFinder, SourceFileLoader

MOST = 2000  # characters of a value


class Came(dict):
    """The operands of a condition that is not true."""

    def __bool__(self):
        return False

    def __str__(self):
        return shown(self, 0)


class Keep(ast.NodeTransformer):
    """Stores operands in local variables whose names no program can have."""

    def visit_Assert(self, node):
        self.generic_visit(node)
        node.test = self.operands(node.test, node)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if getattr(node.func, "id", "") == "eventually" and isinstance(node.args[0], ast.Lambda):
            condition = node.args[0]
            came = ast.parse("Came(locals())", mode="eval").body
            came.func.id = "@Came"
            condition.body = ast.BoolOp(ast.Or(), [self.operands(condition.body, node), came])
        return node

    def operands(self, test, where):
        if isinstance(test, ast.BoolOp):
            test.values = [self.operands(value, where) for value in test.values]
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test.operand = self.operands(test.operand, where)
        elif isinstance(test, ast.Compare):
            sides = [self.stored(side, where) for side in (test.left, *test.comparators)]
            test.left, *test.comparators = sides
        else:
            return self.stored(test, where)
        return test

    @staticmethod
    def stored(operand, where):
        if isinstance(operand, ast.Constant):
            return operand
        name = f"@{where.lineno}-{where.end_lineno} {ast.unparse(operand)}"
        return ast.copy_location(ast.NamedExpr(ast.Name(name, ast.Store()), operand), operand)


class Loader(SourceFileLoader):
    def source_to_code(self, data, path, **options):
        tree = ast.fix_missing_locations(Keep().visit(ast.parse(data, path)))
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module):
        vars(module)["@Came"] = Came
        super().exec_module(module)

    def path_stats(self, path):
        raise OSError  # a compiled file would not say whether its tests keep anything


def keep(folder):
    finder = FileFinder.path_hook((Loader, [".py"]))

    def hook(path):
        if path != str(folder):
            raise ImportError
        return finder(path)

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.pop(str(folder), None)


def kept(exception):
    at = exception.__traceback__
    while at.tb_next:
        at = at.tb_next
    return shown(at.tb_frame.f_locals, at.tb_lineno)


def shown(values, line):
    """The operands that were kept at a line, or at line 0 all, but for True and False."""
    text = ""
    for name, value in values.items():
        found = re.fullmatch(r"@(\d+)-(\d+) (.*)", name, re.S)
        if found and not isinstance(value, bool):
            if line == 0 or int(found[1]) <= line <= int(found[2]):
                text += f"{found[3]} was {repr(value)[:MOST]}\n"
    return text
