/** Elements in the order of the members; a list is its element several times. */
export function toXml(tree: object, namespace?: string): string {
  return Object.entries(tree)
    .flatMap(([name, value]) => (Array.isArray(value) ? value.map((item) => [name, item]) : [[name, value]]))
    .map(([name, value]) => {
      const content = typeof value === "object" && value !== null ? toXml(value) : escaped(String(value));
      return `<${name}${namespace === undefined ? "" : ` xmlns="${namespace}"`}>${content}</${name}>`;
    })
    .join("");
}

function escaped(plain: string): string {
  return plain.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
