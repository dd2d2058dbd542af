print("eoss")
