// Why two patients may be one person, in words.
import { t } from "./i18n.js";

/** `name: the same · date of birth: nearly the same`. */
export const reasons = (all) => all.map(({ field, agreement }) => t("merge.reason", { field: t(`merge.field.${field}`), agreement: t(`merge.agreement.${agreement}`) })).join(" · ");
