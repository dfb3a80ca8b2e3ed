"""What a store holds, how much it may hold, and who goes first when that is too little."""
