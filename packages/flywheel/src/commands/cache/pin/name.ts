/** The positional parameter of commands about one pin. */
export const pinName = {
  parse: String,
  placeholder: 'NAME',
  brief: 'Name of the pin; that of a branch will do',
} as const;
