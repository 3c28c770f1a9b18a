// Package luamod holds the globals of the script API, one file each: tables of
// script.Func rows over the engines, nothing else.
//
//	lib, err := bind.NewLibrary(luamod.JSON(), luamod.Config(current), luamod.Run())
package luamod
