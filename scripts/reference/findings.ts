import { type CatalogueEntry, FINDINGS, REFUSALS } from "../../shared/assess/catalogue.ts";
import { code, tableOf } from "./markdown.ts";

/** The findings, then the refusals that no finding has. */
export function findingTable(): string {
  const refusals = new Map<string, string>(Object.entries(REFUSALS));
  const findings = Object.entries<CatalogueEntry>(FINDINGS).map(([finding, entry]) => {
    const own = [finding, `TARGET_${finding}`].filter((name) => refusals.delete(name));
    const codes = [...new Set([finding, ...own])].map(code).join(", ");
    const codeCell = entry.shownBy === "values" ? `${codes} (values sweep only)` : codes;
    return [codeCell, entry.meaning, entry.response, entry.remedy];
  });
  const others = [...refusals].map(([name, advice]) => {
    const [meaning = "", ...remedy] = advice.split(/(?<=\.) /);
    return [code(name), meaning, "Does not write it.", remedy.join(" ")];
  });
  return tableOf(["code", "meaning", "the relay", "you"], [...findings, ...others]);
}
