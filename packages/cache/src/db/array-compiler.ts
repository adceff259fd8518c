import {
  OperatorNode,
  PostgresQueryCompiler,
  PrimitiveValueListNode,
  ValueListNode,
  ValueNode,
  type BinaryOperationNode,
  type OperationNode,
} from 'kysely';

/**
 * Writes `x in (…)` as `x = any($1)`, with the whole list as one array: PostgreSQL takes longer to
 * read and plan a statement of a thousand parameters than to run it, and Kysely to write it.
 */
export class ArrayCompiler extends PostgresQueryCompiler {
  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    const values = isIn(node.operator) ? listOf(node.rightOperand) : undefined;
    if (values === undefined) {
      super.visitBinaryOperation(node);
      return;
    }
    this.visitNode(node.leftOperand);
    this.append(' = any(');
    this.appendValue(values);
    this.append(')');
  }
}

function isIn(operator: OperationNode): boolean {
  return OperatorNode.is(operator) && operator.operator === 'in';
}

/** The values of a list that has nothing else in it. */
function listOf(node: OperationNode): readonly unknown[] | undefined {
  if (PrimitiveValueListNode.is(node)) return node.values;
  if (!ValueListNode.is(node)) return undefined;
  const values = node.values.filter((value) => ValueNode.is(value));
  return values.length === node.values.length ? values.map(({ value }) => value) : undefined;
}
