/** Programs for administrators are where only administrators look. */
export const oracleEnv: NodeJS.ProcessEnv = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
